// SPDX-License-Identifier: Apache-2.0
// Apart from the operators, so that networks without a host part need no mathematical library.
#include "aihls_host.h"

void *aihls_host_data(const struct aihls_host *h, int32_t i, void *memory)
{
    const struct aihls_host_value *v = &h->values[i];
    union { const void *from; void *to; } constant = { v->constant }; // operators only read it
    return v->constant ? constant.to : (char *)memory + v->offset;
}

void aihls_host_run(const struct aihls_host *h, int32_t pass, void *memory)
{
    for (int32_t i = 0; i < h->n_ops; i++) {
        struct aihls_host_call c = { &h->ops[i], h->values, memory };
        if (h->ops[i].pass == pass)
            h->ops[i].run(&c);
    }
}
