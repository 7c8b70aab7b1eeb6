// SPDX-License-Identifier: Apache-2.0
#include "base/embed.h"

#include <string.h>

const struct embedded *embed_find(const char *path)
{
    int low = 0, high = embedded_count;
    while (low < high) { // the file, if any, is in [low, high)
        int middle = low + (high - low) / 2;
        int order = strcmp(path, embedded_files[middle].path);
        if (order == 0)
            return &embedded_files[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
