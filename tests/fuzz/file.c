// SPDX-License-Identifier: Apache-2.0
// What the targets share.
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

const struct fuzz_target fuzz_targets[] = {
    { "onnx", fuzz_onnx, fuzz_onnx_seeds },
    { "board", fuzz_board, fuzz_board_seeds },
    { "npy", fuzz_npy, fuzz_npy_seeds },
    { "npz", fuzz_npz, fuzz_npz_seeds },
};
const int fuzz_target_count = sizeof fuzz_targets / sizeof *fuzz_targets;

// The readers want a path and a regular file; one in memory costs no disk.
const char *fuzz_file(const uint8_t *bytes, size_t n)
{
    static char path[64];
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("fuzz", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, bytes, n, 0) != (ssize_t)n) {
        perror("fuzz: a file in memory");
        abort();
    }
    return path;
}

void fuzz_expect(bool result, bool error, const char *messages)
{
    if (result != error)
        return;
    fprintf(stderr, "fuzz: %s\n%s", result ? "a result in spite of an error" : "no result and no error", messages);
    abort();
}
