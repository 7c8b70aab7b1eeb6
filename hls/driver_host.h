// SPDX-License-Identifier: Apache-2.0
#ifndef AIHLS_DRIVER_HOST_H
#define AIHLS_DRIVER_HOST_H

#include "hls/design.h"

// Prints what the host computes (pipeline->host) as `static const struct aihls_host host`, and all that it refers to.
void driver_host(struct strbuf *sb, const struct design *d);

#endif
