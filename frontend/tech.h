// SPDX-License-Identifier: Apache-2.0
// tech: what the parts of one family are made of, as far as schedule and cost need to know it. One table; a new family
// is a new row there (docs/60-boards.md).
#ifndef AIHLS_TECH_H
#define AIHLS_TECH_H

#include <stdbool.h>
#include <stdint.h>

struct tech {
    const char *family; // as the open synthesis tools name it: "xcup"
    const char *mac;    // the parameter TECH of the Verilog: a primitive of aihls_mac, or "GENERIC" where the vendor's
                        // tool finds the multipliers by itself

    // Multiplier blocks. A block multiplies either `singles` independent pairs of 8-bit numbers, or (`pairs`) two
    // weights with one activation.
    int singles;
    bool pairs;
    int lane_shift;       // of the two sums of a pair in one word; 0: they stand apart and cannot overflow into each other
    int pixel_shift;      // the same where two activations share a weight; 0: they do not
    bool pairs_minus_128; // a weight of -128 may have a partner
    int scale_bits;       // widest number that a block multiplies with a factor of 18 bits, for requantizers; 0: none
    bool systolic;        // blocks add what the block before them sends, and LUTs are shift registers for the skew

    // Block RAM: width and depth at the widest aspect, each narrower one twice as deep, down to `bram_narrowest` bits.
    // The shape of least n * weight wins, as in Yosys, and `blocks` says how many blocks one of it is.
    const char *bram_name;    // of a block, for people
    const char *bram_element; // what board.xml calls their number
    int bram_kbit;
    struct {
        int64_t width_bits, depth_words, weight, blocks;
    } bram[2];
    int64_t bram_narrowest;
    bool bram_shared;      // slices in depth lie side by side in the words of a block (Yosys does so, vendors' tools do not)
    int64_t bram_ram_unit; // bits: a RAM of such slices is widened to a multiple of it

    int64_t rom_bank_words; // of a block of one bit. ROMs of more than a quarter of them are cut into banks of at most so many,
                            // and those into blocks without a choice between them, which is the slowest path; 0: none are
    int rom_wait; // 1: block RAM gives its words so late that weights pass a register before they are used

    // Larger blocks for memories of bytes with one port that need not begin with contents; NULL, 0: none that are used.
    const char *huge_name;
    int64_t huge_bytes;

    // Memories of LUTs.
    int64_t rom_words; // one LUT holds so many words of a bit
    int rom_mux_percent; // of a LUT for each further LUT of a bit, where no dedicated multiplexers choose
    int64_t ram_words; // one LUT RAM cell is so many words deep; 0: the family has none
    int64_t ram_bits, ram_luts; // its bits, and the LUTs that it takes
    bool ram_doubles;     // it may be twice as deep and half as wide
    int64_t ram_mux_luts; // a bit, to choose between cells, for each cell but the first

    // LUTs that a template takes, in percent of its fit for six-input LUTs (docs/60-boards.md has the measurements).
    struct {
        int cell;    // a multiplier cell of LUTs
        int requant; // a requantizer lane
        int window;  // the row ring's control
        int lines;   // its words: padding, rotation
        int other;
    } lut_percent;
};

// NULL: there is no such family.
const struct tech *tech_find(const char *family);
// 8-bit products that a multiplier block gives in a cycle at most.
int tech_products(const struct tech *t);

#endif
