#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the model of arith.cpp and runs it.
#     tests/formal/arith.sh build | vectors COUNT SEED | exhaustive | products | elements
# RTL names the directory of the templates, OUT that of the results.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
rtl=${RTL:-$root/rtl_templates}
out=${OUT:-$root/build/formal}/arith
if [ "$1" != build ]; then
    exec "$out/obj/Varith" "$@"
fi
rm -rf "$out"
mkdir -p "$out"
g++ -std=c++17 -O1 -Wall -Wextra -DGENERATE -o "$out/generate" "$here/arith.cpp"
"$out/generate" >"$out/arith.v"
# Only requantize() of the reference is wanted; the rest of that file goes.
for c in "$root/sim/ref_int.c" "$root/drivers/aihls_stages.c" "$here/arith_ref.c"; do
    gcc -std=c11 -O2 -D_GNU_SOURCE -ffunction-sections -Wno-unknown-pragmas -I"$root" -c -o "$out/$(basename "$c" .c).o" "$c"
done
verilator --cc --exe --build -j 2 -Wno-fatal -Wno-lint -Wno-style -O3 --x-assign fast -y "$rtl" --top-module arith "$out/arith.v" \
    "$here/arith.cpp" "$out/ref_int.o" "$out/aihls_stages.o" "$out/arith_ref.o" --Mdir "$out/obj" -CFLAGS "-O2 -std=c++17" \
    -LDFLAGS -Wl,--gc-sections -MAKEFLAGS "OPT_FAST=-O2 OPT_SLOW=-O0" >"$out/build.log" 2>&1 || { tail -20 "$out/build.log" >&2; exit 1; }
