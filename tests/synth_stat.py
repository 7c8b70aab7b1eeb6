#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts what Yosys synthesized (write_json, stages kept as modules) and compares it with report.json.

usage: synth_stat.py NETLIST.json REPORT.json TOP
       synth_stat.py NETLIST.json - TOP    counts of TOP alone, and its longest path
Also prints the longest path in LUT levels inside any module. Exit 1 when DSP or block RAM differ from the
prediction, or LUT or FF by more than 20 %.
"""
import collections, json, sys

LUT_RAM = {"RAM32M16": 8, "RAM64M8": 8, "RAM32M": 4, "RAM64M": 4, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4}
# ECP5: a LUT RAM occupies three slices of two LUTs, a carry cell one
LUT_RAM.update({"TRELLIS_DPR16X4": 6})
LUTS = dict(LUT_RAM, SRL16E=1, SRLC32E=1, CCU2C=2, SB_LUT4=1)
LUTS.update({"LUT%d" % i: 1 for i in range(1, 7)})
BRAM18 = {"RAMB18E1": 1, "RAMB18E2": 1, "RAMB36E1": 2, "RAMB36E2": 2, "DP16KD": 1, "PDPW16KD": 1, "SB_RAM40_4K": 1}
# cells whose output follows their inputs without a clock; what a LUT RAM reads follows its address only
THROUGH = ("LUT", "CARRY", "MUXF", "INV", "BUF", "CCU2C", "PFUMX", "L6MUX", "SB_LUT4", "SB_CARRY")


def own_cells(module):
    """Counts per type. The last pass of Yosys 0.23 leaves a copy of one clock enable LUT at every flip-flop: LUTs
    with the same function and inputs count once."""
    seen, types = set(), collections.Counter()
    for cell in module["cells"].values():
        if cell["type"].startswith("LUT"):
            ins = tuple((p, tuple(b)) for p, b in sorted(cell["connections"].items()) if p not in ("O", "Z"))
            key = (cell["type"], cell["parameters"].get("INIT"), ins)
            if key in seen:
                continue
            seen.add(key)
        types[cell["type"]] += 1
    return types


def totals(modules, name, memo):
    """LUT, FF, DSP, RAMB18 of one module and everything below it."""
    if name not in memo:
        t = collections.Counter()
        for cell, n in own_cells(modules[name]).items():
            if cell in LUTS:
                t["lut"] += n * LUTS[cell]
            elif cell in BRAM18:
                t["bram18"] += n * BRAM18[cell]
            elif cell.startswith(("FDRE", "FDSE", "FDCE", "FDPE", "TRELLIS_FF", "SB_DFF")):
                t["ff"] += n
            elif cell.startswith(("DSP48", "MULT18X18D", "SB_MAC16")):
                t["dsp"] += n
            elif cell in modules and "cells" in modules[cell] and "aihls_" in cell or cell.endswith("_core"):
                for k, v in totals(modules, cell, memo).items():
                    t[k] += n * v
        memo[name] = t
    return memo[name]


def levels(module):
    """LUTs on the longest path between clocked cells or ports, iteratively in topological order."""
    driver, fanin = {}, {}
    for name, cell in module["cells"].items():
        through = cell["type"].startswith(THROUGH)
        if not through and cell["type"] not in LUT_RAM:
            continue
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "output":
                for b in bits:
                    driver[b] = name
        fanin[name] = [b for port, bits in cell["connections"].items()
                       if cell["port_directions"][port] == "input" and (through or port.startswith(("ADDR", "A", "DPRA")))
                       for b in bits]
    depth, visiting = {}, set()
    for start in fanin:
        stack = [start]
        while stack:
            cell = stack[-1]
            if cell in depth:
                stack.pop()
                continue
            todo = [driver[b] for b in fanin[cell] if b in driver and driver[b] not in depth]
            if todo and cell not in visiting:
                visiting.add(cell)
                stack.extend(todo)
                continue
            below = max([depth.get(driver[b], 0) for b in fanin[cell] if b in driver] or [0])
            kind = module["cells"][cell]["type"]
            depth[cell] = below + (1 if kind in LUTS and kind != "CCU2C" else 0)
            stack.pop()
    return max(depth.values() or [0])


def main():
    modules = json.load(open(sys.argv[1]))["modules"]
    if sys.argv[2] == "-":
        have = totals(modules, sys.argv[3], {})
        ram = sum(n * LUT_RAM.get(cell, 0) for cell, n in own_cells(modules[sys.argv[3]]).items())
        print("%s: %d LUT, %d of them RAM, %d FF, %d block RAM, %d DSP, longest path %d LUT levels"
              % (sys.argv[3], have["lut"], ram, have["ff"], have["bram18"], have["dsp"], levels(modules[sys.argv[3]])))
        return 0
    report = json.load(open(sys.argv[2]))
    have, want = totals(modules, sys.argv[3], {}), report["predicted"]
    bad = 0
    print("| | predicted | synthesized | ratio |\n|---|---:|---:|---:|")
    for k in ("dsp", "bram18", "lut", "ff"):
        ratio = want[k] / have[k] if have[k] else (1 if want[k] == have[k] else 9)
        ok = want[k] == have[k] if k in ("dsp", "bram18") else 0.8 <= ratio <= 1.25
        bad += not ok
        print("| %s | %d | %d | %.2f%s |" % (k.upper(), want[k], have[k], ratio, "" if ok else " (outside)"))
    deepest = max((levels(m), n.split("\\")[-1]) for n, m in modules.items() if "aihls_" in n and m["cells"])
    print("longest path: %d LUT levels, in %s" % deepest)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
