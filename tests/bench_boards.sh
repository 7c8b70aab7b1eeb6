#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes docs/benchmarks.md: every board by every network, as the compiler predicts them, with the cycles that
# tests/bench.sh has simulated where build/bench/bench.json knows them.
#     tests/bench_boards.sh build/aihls [NETWORK...]
# Without one of the models (tests/bench_models.sh) the page stays as it is.
set -eu
aihls=$(realpath "$1")
shift
. tests/bench_models.sh
dir=build/bench/boards
mkdir -p $dir
rows=$dir/rows.txt
: >$rows
for n in ${*:-$all_networks}; do
    find_model "$n" || { echo "docs/benchmarks.md stays as it is" >&2; exit 0; }
    for board in $("$aihls" boards | awk 'NR > 1 { print $1 }'); do
        out=$dir/$n-$board
        rm -rf "$out"
        # shellcheck disable=SC2086
        "$aihls" "$file" --board "$board" $calib -q -o "$out" >"$out.log" 2>&1 || grep -q 'E302' "$out.log" || { cat "$out.log" >&2; exit 1; }
        echo "$n $board $out" >>$rows
    done
    echo "done: $n" >&2
done
python3 - $rows build/bench/bench.json docs/benchmarks.md <<'PY'
import json, os, re, sys
simulated = {}
if os.path.exists(sys.argv[2]):
    simulated = {(o["network"], o["board"]): o for o in json.load(open(sys.argv[2]))}
page = ["<!-- SPDX-License-Identifier: Apache-2.0 -->", "# Benchmarks: every board by nine networks", "",
        "Written by `make bench`. Cycles, resources and frames per second are the compiler's prediction; nothing was placed and routed.",
        "\"Simulated\" are cycles of the Verilog, where they were simulated with this schedule. \"Share of peak\": the multiplier blocks of",
        "the board, each with as many 8-bit products a cycle as its family's can do, are 100 %; products made of LUTs come on top.",
        "\"Bound\": what stands in the way of fewer cycles; a resource counts up to the compiler's budget (70 % of the LUTs), a stage is named",
        "where no fold of it is faster. MobileNetV2 x 0.25, MobileNetV3-small x 0.35 and SqueezeNet 1.1 are torchvision's for images of 96 x 96",
        "pixels, with random weights (tests/models/torchvision_narrow.py).",
        "Block RAMs are those of the family (18 Kb; M10K of DE10-Nano 10 Kb, EBR of iCEBreaker 4 Kb); a LUT of DE10-Nano is an ALM.", ""]
last = None
for line in open(sys.argv[1]):
    n, board, out = line.split()
    if n != last:
        page += ["", "## " + n, "", "| board | fits | cycles/frame | simulated | frames/s | share of peak | DSP | block RAM | LUT | bound |",
                 "|---|---|---:|---:|---:|---:|---:|---:|---:|---|"]
        last = n
    if not os.path.exists(out + "/report.json"):
        need = re.search(r"found (.*), need (.*)", open(out + ".log").read())
        page.append("| %s | no: needs %s | | | | | | | | |" % (board, need.group(2)))
        continue
    r = json.load(open(out + "/report.json"))
    p, b, s = r["predicted"], r["board"], simulated.get((n, board))
    known = s and s["predicted"] == p["cycles_per_frame"]
    page.append("| %s | yes | %s | %s | %s | %s | %d of %d | %d of %d | %s of %s | %s |" % (
        board, format(p["cycles_per_frame"], ","), format(s["simulated"], ",") if known else "", format(round(p["frames_per_s"]), ","),
        "%.0f %%" % (100 * p["efficiency"]) if p["efficiency"] is not None else "", p["dsp"], b["dsp"], p["bram"], b["bram"],
        format(p["lut"], ","), format(b["lut"], ","), r["schedule"]["bound"]))
open(sys.argv[3], "w").write("\n".join(page).replace("\n\n\n", "\n\n") + "\n")
PY
