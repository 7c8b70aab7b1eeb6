#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job on real input: the digits network (tests/models/digits) on ultra96, simulated.
set -eu
aihls=$1
digits=tests/models/digits
out=build/demo/digits
mkdir -p build/demo
echo "== 1. compile: ONNX to Verilog for ultra96"
"$aihls" $digits/digits.onnx --board ultra96 --calib $digits/digits_calib.npy -o $out
echo
echo "== 2. accuracy on 400 test digits: float model, and the integers that the hardware computes"
"$aihls" eval $out --data $digits/digits_test.npz
echo
echo "== 3. simulate: the first 8 test digits through the Verilog, every stream compared"
"$aihls" sim $out --input $digits/digits_test.npz --frames 8
echo
echo "== 4. the same with every stream pausing at random"
"$aihls" sim $out --input $digits/digits_test.npz --frames 4 --stalls 1 -q && echo "4 frames, 0 mismatches"
echo
python3 - $out/report.json <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
b, p, s = r["board"], r["predicted"], r["simulated"]
print("Summary: %s on %s" % (r["model"]["name"], b["name"]))
print("  cycles per frame  %d predicted" % p["cycles_per_frame"])
for k in ("dsp", "bram18", "lut", "ff"):
    print("  %-8s %7d of %7d (%.1f %%)" % (k.upper(), p[k], b[k], 100.0 * p[k] / b[k]))
PY
echo "  report            $out/report.html, $out/report.json"
echo "  Verilog           $out/rtl"
