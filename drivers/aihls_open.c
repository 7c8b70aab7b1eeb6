// SPDX-License-Identifier: Apache-2.0
// Apart from aihls.c, so that programs without malloc do not need it.
#include <stdlib.h>

#include "aihls_handle.h"

enum aihls_status aihls_open(const struct aihls_network *net, const struct aihls_backend *backend,
                             const struct aihls_options *options, struct aihls **out)
{
    if (!out)
        return AIHLS_E_NULL;
    size_t n_bytes = aihls_memory_bytes(net, backend, options);
    void *memory = n_bytes ? aligned_alloc(AIHLS_ALIGNMENT, n_bytes) : NULL;
    *out = NULL;
    if (n_bytes && !memory)
        return AIHLS_E_MEMORY;
    // without memory this only says what is wrong with the arguments
    enum aihls_status s = aihls_open_in(memory, n_bytes, net, backend, options, out);
    if (s)
        free(memory);
    else
        (*out)->release = free;
    return s;
}
