// SPDX-License-Identifier: Apache-2.0
// report: the schedule in numbers, report.json (schema_version 1).
#ifndef AIHLS_REPORT_H
#define AIHLS_REPORT_H

#include "hls/design.h"

// New reference.
json_t *report_make(const struct design *d);

#endif
