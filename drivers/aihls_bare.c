// SPDX-License-Identifier: Apache-2.0
#include "aihls_bare.h"

__attribute__((weak)) const struct aihls_axi_machine *aihls_bare_machine(void)
{
    return NULL;
}

static size_t state_bytes(const struct aihls_backend *b, const struct aihls_network *net)
{
    (void)b;
    (void)net;
    return sizeof(struct aihls_axi);
}

static enum aihls_status open_machine(struct aihls_device *d)
{
    const struct aihls_axi_machine *m = d->options->device ? d->options->device : aihls_bare_machine();
    return m ? aihls_axi_open(d, m) : AIHLS_E_BACKEND;
}

const struct aihls_backend aihls_bare = { "bare", NULL, state_bytes, open_machine, aihls_axi_submit, aihls_axi_wait, aihls_axi_close, aihls_axi_reload };
