// SPDX-License-Identifier: Apache-2.0
#ifndef AIHLS_VERSION_H
#define AIHLS_VERSION_H

#define AIHLS_VERSION "0.1.0"

#endif
