// SPDX-License-Identifier: Apache-2.0
// Board files. The seeds are the boards that aihls knows.
#include <string.h>

#include "base/check.h"
#include "base/embed.h"
#include "base/strbuf.h"
#include "frontend/board.h"
#include "tests/fuzz/fuzz.h"

void fuzz_board(const uint8_t *bytes, size_t n)
{
    struct arena arena = { 0 };
    struct strbuf text = STRBUF_INIT;
    struct diag diag = { .rendered = &text };
    struct ctx cx = { &arena, &diag };
    struct board b;
    bool ok = board_read(&cx, fuzz_file(bytes, n), &b);
    fuzz_expect(ok, diag.errors > 0, text.text);
    if (ok) // what board.xsd promises
        ASSERT(b.name[0] && b.part[0] && b.tech && b.clock_hz > 0 && b.lut > 0 && b.ff > 0 && b.dsp >= 0 && b.bram18 >= 0 && b.uram >= 0 &&
               b.dram_bytes_per_s >= 0 && strlen(b.xml_text) == n);
    strbuf_release(&text);
    arena_release(&arena);
}

void fuzz_board_seeds(fuzz_take *take, void *user)
{
    for (int i = 0; i < embedded_count; i++)
        if (strncmp(embedded_files[i].path, "boards/", 7) == 0 && strstr(embedded_files[i].path, "/board.xml"))
            take(user, embedded_files[i].folder, embedded_files[i].bytes, embedded_files[i].n_bytes);
}
