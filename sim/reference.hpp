// SPDX-License-Identifier: Apache-2.0
// reference: what the programs of `aihls sim` share: the integer reference's beats and where the Verilog differs from
// them, and lists in the result. With probes.h of the design.
#ifndef AIHLS_REFERENCE_HPP
#define AIHLS_REFERENCE_HPP

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "probes.h"
#include "random.hpp"

// What the core must be given behind a reset, a byte a line of an image in the output directory; nothing for most. Empty where
// it cannot be read, so that nothing will move.
inline std::vector<uint8_t> code_bytes()
{
    std::vector<uint8_t> bytes;
#ifdef PROBE_CODE
#define CODE_FILE(name, n, file) { (size_t)(n), file }
    const struct {
        size_t n;
        const char *file;
    } code = PROBE_CODE(CODE_FILE);
#undef CODE_FILE
    FILE *f = fopen(code.file, "r");
    for (unsigned v; f && bytes.size() < code.n && fscanf(f, "%x", &v) == 1;)
        bytes.push_back((uint8_t)v);
    if (f)
        fclose(f);
#endif
    return bytes;
}

// The file holds, frame after frame, every stream's beats in order (stream 0 first), a beat being LANES bytes.
class Reference {
  public:
    struct Stream {
        size_t lanes, offset, bytes; // of a frame
    };
    std::vector<Stream> streams;
    const long frames;
    long mismatches = 0;

    explicit Reference(long n) : frames(n)
    {
#define REFERENCE_STREAM(i, net, lanes, beats)                                                     \
    streams.push_back(Stream{ (size_t)(lanes), frame_bytes, (size_t)(lanes) * (size_t)(beats) });  \
    frame_bytes += streams.back().bytes;
        PROBE_STREAMS(REFERENCE_STREAM)
#undef REFERENCE_STREAM
        bytes.resize(frame_bytes * (size_t)frames);
    }

    bool read(const char *path)
    {
        FILE *f = fopen(path, "rb");
        bool ok = f && fread(bytes.data(), 1, bytes.size(), f) == bytes.size();
        if (f)
            fclose(f);
        return ok;
    }

    // A stream's beats of a frame.
    const uint8_t *wanted(size_t stream, long frame) const { return bytes.data() + frame_bytes * (size_t)frame + streams[stream].offset; }

    // n bytes of a frame from byte `at` on, as they were seen in `cycle`.
    void compare(size_t stream, long frame, size_t at, const void *have, size_t n, long cycle)
    {
        const uint8_t *want = wanted(stream, frame) + at, *is = (const uint8_t *)have;
        if (memcmp(want, is, n) == 0)
            return;
        const size_t lanes = streams[stream].lanes;
        for (size_t i = 0; i < n; i++)
            if (is[i] != want[i] && mismatches++ == 0)
                first = Mismatch{ stream, frame, (at + i) / lanes, (at + i) % lanes, cycle, (int8_t)is[i], (int8_t)want[i] };
    }

    // When it differed first; there must be a mismatch.
    long first_cycle() const { return first.cycle; }

    // As members of a JSON object, behind others.
    void write(FILE *f) const
    {
        fprintf(f, ",\n\"mismatches\": %ld", mismatches);
        if (mismatches)
            fprintf(f, ",\n\"first\": {\"stream\": %zu, \"frame\": %ld, \"beat\": %zu, \"lane\": %zu, \"cycle\": %ld, \"have\": %d, \"want\": %d}",
                    first.stream, first.frame, first.beat, first.lane, first.cycle, first.have, first.want);
    }

  private:
    struct Mismatch {
        size_t stream;
        long frame;
        size_t beat, lane;
        long cycle;
        int have, want;
    };
    size_t frame_bytes = 0;
    std::vector<uint8_t> bytes;
    Mismatch first = {};
};

// A member of a JSON object, behind others: number(item) of each.
template <class T, class F> void write_list(FILE *f, const char *name, const std::vector<T> &items, F number)
{
    fprintf(f, ",\n\"%s\": [", name);
    for (size_t i = 0; i < items.size(); i++)
        fprintf(f, "%s%ld", i ? ", " : "", (long)number(items[i]));
    fprintf(f, "]");
}

inline void write_list(FILE *f, const char *name, const std::vector<long> &items)
{
    write_list(f, name, items, [](long v) { return v; });
}

#endif
