#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Static checks: include layers, headers, licence lines, Verilog lint of what is emitted, cppcheck if installed.
set -u
bad=0
sh tests/check_layers.sh || bad=1
for f in $(git ls-files '*.c' '*.h' '*.v' '*.cpp' '*.py' '*.sh' '*.def' Makefile); do
    head -3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || { echo "$f: no SPDX line"; bad=1; }
done
out=build/lint
mkdir -p $out
for board in ultra96 pynq-z2 ulx3s-85f; do
    build/aihls tests/models/digits/digits.onnx --board $board --calib tests/models/digits/digits_calib.npy -q -o $out/digits-$board || bad=1
    (cd $out/digits-$board && verilator --lint-only -Wall --top-module digits -f rtl/digits.f) && echo "digits on $board: verilator -Wall clean" || bad=1
done
if command -v cppcheck >/dev/null; then
    cppcheck --quiet --enable=warning,portability --suppress=nullPointer --suppress=nullPointerRedundantCheck --error-exitcode=1 -I. -Ibuild/gen $(git ls-files "base/*.c" "frontend/*.c" "dataflow/*.c" "sim/*.c" "hls/*.c" "drivers/*.c") && echo "cppcheck: clean" || bad=1
else
    echo "cppcheck: skipped, not installed"
fi
exit $bad
