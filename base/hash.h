// SPDX-License-Identifier: Apache-2.0
// hash: uthash with memory that never is NULL.
#ifndef AIHLS_HASH_H
#define AIHLS_HASH_H

#include "base/check.h"

#define uthash_malloc(n_bytes) memory_alloc(n_bytes)
#include <uthash.h>

#endif
