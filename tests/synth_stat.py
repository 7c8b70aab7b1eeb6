#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums Yosys' cell counts (text of `stat`, hierarchy kept) per stage and compares them with report.json.

usage: synth_stat.py STAT.txt REPORT.json TOP
Exit 1 when DSP or block RAM differ from the prediction, or LUT or FF by more than 20 %.
"""
import collections, json, re, sys

LUTS = {"RAM32M16": 8, "RAM64M8": 8, "RAM32M": 4, "RAM64M": 4, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4, "SRL16E": 1, "SRLC32E": 1}
LUTS.update({"LUT%d" % i: 1 for i in range(1, 7)})
BRAM18 = {"RAMB18E1": 1, "RAMB18E2": 1, "RAMB36E1": 2, "RAMB36E2": 2}
FFS = ("FDRE", "FDSE", "FDCE", "FDPE")


def totals(modules, name, memo):
    """LUT, FF, DSP, RAMB18 of one module and everything below it."""
    if name not in memo:
        t = collections.Counter()
        for cell, n in modules[name].items():
            if cell in modules:
                for k, v in totals(modules, cell, memo).items():
                    t[k] += n * v
            elif cell in LUTS:
                t["lut"] += n * LUTS[cell]
            elif cell in BRAM18:
                t["bram18"] += n * BRAM18[cell]
            elif cell in FFS:
                t["ff"] += n
            elif cell.startswith("DSP48"):
                t["dsp"] += n
        memo[name] = t
    return memo[name]


def read_stat(path):
    """Cell counts of each module in the text that `stat` prints (its JSON form is broken in Yosys 0.23)."""
    modules, cells = {}, None
    for line in open(path):
        head = re.match(r"=== (.*) ===", line)
        if head:
            cells = {} if head.group(1) != "design hierarchy" else None
            if cells is not None:
                modules[head.group(1).lstrip("\\")] = cells
        row = re.match(r"     (\S+) +(\d+)$", line)
        if row and cells is not None:
            cells[row.group(1).lstrip("\\")] = int(row.group(2))
    return modules


def main():
    modules = read_stat(sys.argv[1])
    report = json.load(open(sys.argv[2]))
    have, want = totals(modules, sys.argv[3], {}), report["predicted"]
    bad = 0
    print("| | predicted | synthesized | ratio |\n|---|---:|---:|---:|")
    for k in ("dsp", "bram18", "lut", "ff"):
        ratio = want[k] / have[k] if have[k] else (1 if want[k] == have[k] else 9)
        ok = want[k] == have[k] if k in ("dsp", "bram18") else 0.8 <= ratio <= 1.25
        bad += not ok
        print("| %s | %d | %d | %.2f%s |" % (k.upper(), want[k], have[k], ratio, "" if ok else " (outside)"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
