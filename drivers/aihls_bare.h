// SPDX-License-Identifier: Apache-2.0
// aihls_bare: the back end "bare", NAME_axi without an operating system. aihls_options.device points to a struct
// aihls_axi_machine; where it is NULL, aihls_bare_machine is asked, which the program defines:
//
//     const struct aihls_axi_machine *aihls_bare_machine(void)
//     {
//         static const struct aihls_axi_machine m = {
//             .registers = (volatile uint32_t *)0xa0000000, .memory = buffers, .memory_address = (uintptr_t)buffers,
//             .memory_bytes = sizeof buffers, .flush = flush, .invalidate = invalidate, .now_us = timer,
//         };
//         return &m;
//     }
//
// Use aihls_open_in; nothing of this needs malloc or files.
#ifndef AIHLS_BARE_H
#define AIHLS_BARE_H

#include "aihls_axi.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct aihls_backend aihls_bare;

// The library's own gives NULL: E_BACKEND.
const struct aihls_axi_machine *aihls_bare_machine(void);

#ifdef __cplusplus
}
#endif
#endif
