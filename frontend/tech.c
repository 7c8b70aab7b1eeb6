// SPDX-License-Identifier: Apache-2.0
#include "frontend/tech.h"

#include <string.h>

// RAMB18 and RAMB36: a RAMB36 costs Yosys' mapper a little less than two RAMB18, so it wins a tie.
#define XILINX_MEMORIES                                                                                                      \
    .bram_name = "RAMB18", .bram_element = "bram18", .bram_kbit = 18, .bram = { { 36, 512, 129, 1 }, { 72, 512, 257, 2 } },  \
    .bram_narrowest = 1, .bram_shared = true, .bram_ram_unit = 9, .rom_words = 64, .ram_words = 32, .ram_bits = 14, .ram_luts = 8,                \
    .ram_doubles = true,                                                                                                     \
    .lut_percent = { 100, 100, 100, 100, 100 }

static const struct tech techs[] = {
    { .family = "xc7", .mac = "DSP48E1", .singles = 1, .pairs = true, .lane_shift = 17, .pixel_shift = 16, .scale_bits = 25, .systolic = true, XILINX_MEMORIES },
    { .family = "xcup", .mac = "DSP48E2", .singles = 1, .pairs = true, .lane_shift = 18, .pixel_shift = 18, .pairs_minus_128 = true, .scale_bits = 27, .systolic = true, XILINX_MEMORIES },
    // 18x18 multipliers; open tools do not reach their division into two of 9x9. nextpnr adds slices where a carry begins or
    // ends in the fabric: a fifth more than the LUTs that Yosys counts, and twice that in the row ring's short sums
    // (docs/60-boards.md).
    // A block gives its word 5.6 ns after the clock.
    { .family = "ecp5", .mac = "ECP5DSP", .singles = 1,
      .bram_name = "EBR", .bram_element = "bram18", .bram_kbit = 18, .bram = { { 36, 512, 1, 1 } }, .bram_narrowest = 1, .bram_shared = true, .bram_ram_unit = 9,
      .rom_bank_words = 16384, .rom_wait = 1, .rom_words = 16, .ram_words = 16, .ram_bits = 4, .ram_luts = 6, .ram_mux_luts = 2, .lut_percent = { 180, 186, 340, 144, 144 } },
    { .family = "ice40", .mac = "ICE40UP", .singles = 1, .pairs = true, .lane_shift = 0, .pairs_minus_128 = true,
      .bram_name = "EBR", .bram_element = "bram4", .bram_kbit = 4, .bram = { { 16, 256, 1, 1 } }, .bram_narrowest = 2, .bram_shared = true, .bram_ram_unit = 1,
      .huge_name = "SPRAM", .huge_bytes = 32768, .rom_words = 16, .rom_mux_percent = 135, .lut_percent = { 190, 190, 170, 170, 150 } },
    // three 9x9 multipliers a block; LUTs are ALMs
    { .family = "cyclonev", .mac = "GENERIC", .singles = 3, .lane_shift = 18,
      .bram_name = "M10K", .bram_element = "bram10", .bram_kbit = 10, .bram = { { 40, 256, 1, 1 } }, .bram_narrowest = 1,
      .rom_words = 64, .ram_words = 32, .ram_bits = 20, .ram_luts = 10, .ram_mux_luts = 1, .lut_percent = { 60, 85, 95, 95, 65 } },
    // an 18x18 multiplier is two of 9x9
    { .family = "gowin", .mac = "GENERIC", .singles = 2, .lane_shift = 18,
      .bram_name = "BSRAM", .bram_element = "bram18", .bram_kbit = 18, .bram = { { 36, 512, 1, 1 } }, .bram_narrowest = 1,
      .rom_words = 16, .ram_words = 16, .ram_bits = 4, .ram_luts = 4, .ram_mux_luts = 2, .lut_percent = { 145, 150, 165, 165, 125 } },
};

const struct tech *tech_find(const char *family)
{
    for (size_t i = 0; i < sizeof techs / sizeof *techs; i++)
        if (strcmp(techs[i].family, family) == 0)
            return &techs[i];
    return NULL;
}

int tech_products(const struct tech *t)
{
    return t->pairs && t->singles < 2 ? 2 : t->singles;
}
