// SPDX-License-Identifier: Apache-2.0
// random: numbers for the pauses and disturbances of a simulation.
#ifndef AIHLS_RANDOM_HPP
#define AIHLS_RANDOM_HPP

#include <cstdint>

// xorshift64* (S. Vigna, 2016): short, and good enough for pauses.
struct Random {
    uint64_t state;
    explicit Random(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15u + 1) {}
    uint64_t next()
    {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return state * 0x2545f4914f6cdd1du;
    }
};

#endif
