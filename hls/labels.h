// SPDX-License-Identifier: Apache-2.0
// labels: the names of a classifier's classes, for programs that use the network.
#ifndef AIHLS_LABELS_H
#define AIHLS_LABELS_H

#include <stdint.h>

#include "base/diag.h"

// Reads a text file with a name a line, UTF-8, as many as there are classes; spaces at the ends of a line and empty lines at
// the end of the file are dropped. *out: n names in the arena. E002 when the file cannot be read; E106 when there are
// more or fewer, a name is empty, longer than 255 bytes, or no UTF-8.
bool labels_read(const struct ctx *cx, const char *file, int64_t n, const char ***out);

#endif
