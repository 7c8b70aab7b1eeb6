// SPDX-License-Identifier: Apache-2.0
// aihls_linux: the back end "linux", NAME_axi on a board that runs Linux. Registers and interrupt come through UIO
// (kernel: Documentation/driver-api/uio-howto.rst), buffers from the kernel module u-dma-buf (github.com/ikwzm/udmabuf).
// The device-tree overlay in project/ of the compiler's output declares both.
//
// Of the UIO devices whose name begins with "aihls" it takes the first that holds this network and that no other
// program uses; of u-dma-buf's the first that is large enough and free. A program that ends lets go of both,
// however it ends.
#ifndef AIHLS_LINUX_H
#define AIHLS_LINUX_H

#include "aihls_backend.h"

#ifdef __cplusplus
extern "C" {
#endif

// E_BACKEND: there is no such UIO device, or no u-dma-buf. E_BITSTREAM: there are, none holds this network. E_BUSY: it is
// in use. E_MEMORY: all of u-dma-buf's are too small or in use.
extern const struct aihls_backend aihls_linux;

// aihls_options.device: one particular device instead. A field that is NULL is looked for.
struct aihls_linux_device {
    const char *uio;    // such as "uio0"
    const char *memory; // such as "udmabuf0"
};

#ifdef __cplusplus
}
#endif
#endif
