// SPDX-License-Identifier: Apache-2.0
// What a test program may ask of the board in shim.cpp.
#ifndef SHIM_H
#define SHIM_H
#ifdef __cplusplus
extern "C" {
#endif

struct shim_faults {
    int bad_read, bad_write; // n: the n-th burst from now on is answered with SLVERR, DECERR
    int deaf;                // the memory takes no burst any more
};
struct shim_faults *shim_faults(void);

#ifdef __cplusplus
}
#endif
#endif
