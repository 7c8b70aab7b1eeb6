# SPDX-License-Identifier: Apache-2.0
# Reads nextpnr's log: prints the row of docs/60-boards.md, and fails when the clock is missed or the resources are not those
# predicted: DSP and block RAM equal, LUT within 15 %. Exit code 2: of all only the clock, which another seed may meet.
function used(cell) { # of the first such line: "Info:   DP16KD:   31/  208    14%"
    return cell in count ? count[cell] : 0
}
/^Info:.*: +[0-9]+\/ *[0-9]+ +[0-9]+%/ {
    split($0, part, ":")
    cell = part[2]
    gsub(/[ \t]/, "", cell)
    split(part[3], number, "/")
    if (!(cell in count))
        count[cell] = number[1] + 0
}
# "Max frequency for clock 'core_clk': 112.40 MHz (PASS at 100.00 MHz)"; the last one is that of the routed design, by clock
/Max frequency for clock/ {
    match($0, /: +[0-9.]+ MHz/)
    split($0, quoted, "'")
    fmax[quoted[2]] = substr($0, RSTART + 1, RLENGTH - 5) + 0
}
END {
    for (c in fmax)
        if (!least || fmax[c] < least)
            least = fmax[c]
    if (!least) {
        print "make: nextpnr's log names no frequency" >"/dev/stderr"
        exit 1
    }
    d = used(dsp_cell)
    b = used(bram_cell)
    l = used(lut_cell)
    printf "| %s | %s | %.1f MHz | %s MHz | %d / %d | %d / %d | %d / %d |\n", name, board, least, clock + 0, l, lut, d, dsp, b, bram
    if (least < clock) {
        printf "make: %.1f MHz of the %s MHz: try SEED=%d, or compile with --clock-mhz %d\n", least, clock, seed + 1, least >"/dev/stderr"
        bad = 2
    }
    if (!accept && (d != dsp || b != bram || l > 1.15 * lut || l < 0.85 * lut)) {
        printf "make: DSP %d, block RAM %d, LUT %d; predicted %d, %d, %d: please report it; ACCEPT=1 goes on\n", d, b, l, dsp, bram, lut >"/dev/stderr"
        bad = 1
    }
    exit bad
}
