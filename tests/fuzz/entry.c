// SPDX-License-Identifier: Apache-2.0
// The entry point of a fuzzer, for the target that FUZZ_TARGET names: -DFUZZ_TARGET=fuzz_npy. With FUZZ_MAIN a program
// of its own that makes the seeds or runs files:
//     entry --seeds DIR       writes the seeds of every target into DIR/TARGET/
//     entry FILE...           runs FUZZ_TARGET on files
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/strbuf.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t n, size_t room);

#define SECONDS_MOST 10

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// A slow input is a mistake too. The fuzzers' own limits count what other programs take from this one as well; they
// are set much higher, for inputs that never end.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    double start = cpu_seconds();
    FUZZ_TARGET(bytes, n);
    double took = cpu_seconds() - start;
    if (took > SECONDS_MOST) {
        fprintf(stderr, "fuzz: this input took %.1f seconds\n", took);
        abort();
    }
    return 0;
}

#ifdef FUZZ_MUTATOR
// Three of four changes keep the format, the others break it.
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t room, unsigned seed)
{
    size_t changed = seed % 4 ? FUZZ_MUTATOR(bytes, n, room, seed) : 0;
    return changed ? changed : LLVMFuzzerMutate(bytes, n, room);
}
#endif

#ifdef FUZZ_MAIN
static void write_seed(void *user, const char *name, const void *bytes, size_t n)
{
    struct strbuf path = STRBUF_INIT;
    strbuf_addf(&path, "%s/%s", (const char *)user, name);
    FILE *f = fopen(path.text, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
        perror(path.text);
        exit(1);
    }
    strbuf_release(&path);
}

static void write_seeds(const char *dir)
{
    for (int i = 0; i < fuzz_target_count; i++) {
        struct strbuf path = STRBUF_INIT;
        strbuf_addf(&path, "%s/%s", dir, fuzz_targets[i].name);
        mkdir(dir, 0755);
        mkdir(path.text, 0755);
        fuzz_targets[i].seeds(write_seed, path.text);
        strbuf_release(&path);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
        write_seeds(argv[2]);
        return 0;
    }
    for (int i = 1; i < argc; i++) {
        struct strbuf bytes = STRBUF_INIT;
        if (!strbuf_read_file(&bytes, argv[i])) {
            perror(argv[i]);
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)bytes.text, bytes.len);
        strbuf_release(&bytes);
    }
    return 0;
}
#endif
