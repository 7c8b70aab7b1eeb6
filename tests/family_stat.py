#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts LUTs and flip-flops of one flat netlist of Yosys (write_json) as the parts of a family count them.

usage: family_stat.py NETLIST.json FAMILY        prints "LUT FF"
xc7, xcup: LUTs, shift registers, LUT RAM.   ecp5: LUT4s, two per carry cell, six per LUT RAM (three slices).
ice40: logic cells: LUTs, and flip-flops that do not follow a LUT.   gowin: LUT4s, one per ALU cell, four per LUT RAM.
cyclonev: ALMs: six-input LUTs, and two of everything smaller in one.
"""
import collections, json, sys

RAM = {"RAM32M16": 8, "RAM64M8": 8, "RAM32M": 4, "RAM64M": 4, "RAM32X1D": 2, "RAM64X1D": 2,
       "TRELLIS_DPR16X4": 6, "RAM16SDP4": 4, "RAM16SDP2": 2, "RAM16SDP1": 1}
WHOLE = dict(RAM, SRL16E=1, SRLC32E=1, CCU2C=2, SB_LUT4=1, ALU=1, MISTRAL_ALUT6=1)
WHOLE.update({"LUT%d" % i: 1 for i in range(1, 7)})
HALF = ["MISTRAL_ALUT%d" % i for i in range(2, 6)] + ["MISTRAL_ALUT_ARITH", "MISTRAL_MLAB"]
FF = ("FDRE", "FDSE", "FDCE", "FDPE", "TRELLIS_FF", "SB_DFF", "DFF", "MISTRAL_FF")


def distinct(cells):
    """Cells without the copies of a LUT that the last pass of Yosys 0.23 leaves at every flip-flop."""
    seen = set()
    for cell in cells.values():
        if "LUT" in cell["type"] and "MUX" not in cell["type"]:
            key = (cell["type"], json.dumps(cell["parameters"], sort_keys=True),
                   tuple(sorted((p, tuple(b)) for p, b in cell["connections"].items() if p not in ("O", "Z", "F", "Q", "LO"))))
            if key in seen:
                continue
            seen.add(key)
        yield cell


def alone(cells):
    """iCE40 flip-flops whose logic cell's LUT does nothing else: what they store is not the output of a LUT of its own."""
    readers, luts = collections.Counter(), set()
    for cell in cells.values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input":
                readers.update(bits)
        if cell["type"] == "SB_LUT4":
            luts.add(cell["connections"]["O"][0])
    stored = [c["connections"]["D"][0] for c in cells.values() if c["type"].startswith("SB_DFF")]
    return sum(1 for d in stored if d not in luts or readers[d] != 1)


def main():
    modules = json.load(open(sys.argv[1]))["modules"]
    cells = next(m["cells"] for m in modules.values() if m["attributes"].get("top"))
    t = collections.Counter(c["type"] for c in distinct(cells))
    lut = sum(n * t[c] for c, n in WHOLE.items()) + (sum(t[c] for c in HALF) + 1) // 2
    if sys.argv[2] == "ice40":
        lut += alone(cells)
    print(lut, sum(n for c, n in t.items() if c.startswith(FF)))


if __name__ == "__main__":
    main()
