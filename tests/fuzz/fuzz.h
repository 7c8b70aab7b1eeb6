// SPDX-License-Identifier: Apache-2.0
// fuzz: what reads files that may come from anywhere, as targets for libFuzzer and AFL++.
//
// A target takes one input and comes back: with a result, or with at least one error that names the file. Anything
// else ends the process where it happened: a signal, a sanitizer's report, BUG, out of memory. So does a result
// beside an error, or neither.
//
//     make fuzz                  libFuzzer, FUZZ_SECONDS a target (60), ASan and UBSan
//     sh tests/fuzz/run.sh       the same, and what can be set
//
// The seeds are made, not stored. tests/unit/test_fuzz.c runs them, and small changes of them, in every build.
#ifndef AIHLS_TESTS_FUZZ_H
#define AIHLS_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void fuzz_onnx(const uint8_t *bytes, size_t n);  // reader, shapes, simplification, quantization, lowering
void fuzz_board(const uint8_t *bytes, size_t n); // board XML
void fuzz_npy(const uint8_t *bytes, size_t n);   // .npy, written and read again
void fuzz_npz(const uint8_t *bytes, size_t n);   // .npz

// Takes one seed of some format.
typedef void fuzz_take(void *user, const char *name, const void *bytes, size_t n);
void fuzz_onnx_seeds(fuzz_take *take, void *user);
void fuzz_board_seeds(fuzz_take *take, void *user);
void fuzz_npy_seeds(fuzz_take *take, void *user);
void fuzz_npz_seeds(fuzz_take *take, void *user);

struct fuzz_target {
    const char *name; // "onnx"
    void (*run)(const uint8_t *bytes, size_t n);
    void (*seeds)(fuzz_take *take, void *user);
};
extern const struct fuzz_target fuzz_targets[];
extern const int fuzz_target_count;

// Changes an ONNX model within its format: names, numbers, nodes, weights. `room` bytes are there; gives the new length,
// or 0 when the bytes are no model or the result has no room.
size_t fuzz_mutate_onnx(uint8_t *bytes, size_t n, size_t room, unsigned seed);

// A path to a file with these bytes, which lives until the next call.
const char *fuzz_file(const uint8_t *bytes, size_t n);
// Ends the process unless exactly one of the two is true.
void fuzz_expect(bool result, bool error, const char *messages);

#endif
