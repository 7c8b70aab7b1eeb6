#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds serial.cpp and runs it.
#     tests/formal/serial.sh exhaustive | vectors COUNT SEED
# RTL names the directory of the templates, OUT that of the results.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rtl=${RTL:-$root/rtl_templates}
out=${OUT:-$root/build/formal}/serial_$1
widths="10 4 2"
[ "$1" = exhaustive ] || widths="36 24 6"
mode=$*
rm -rf "$out"
mkdir -p "$out"
gcc -std=c11 -O2 -I"$root" -c -o "$out/stages.o" "$root/drivers/aihls_stages.c"
set -- $widths
verilator --cc --exe --build -j 2 -Wno-fatal -Wno-lint -O3 --prefix Vserial --top-module aihls_rqserial "-GSUM_W=$1" "-GMULT_W=$2" "-GSHIFT_W=$3" \
    "$rtl/aihls_rqserial.v" "$here/serial.cpp" "$out/stages.o" --Mdir "$out/obj" -CFLAGS "-O2 -DSUM_W=$1 -I$root" >"$out/build.log" 2>&1 || { tail -20 "$out/build.log" >&2; exit 3; }
# shellcheck disable=SC2086
exec "$out/obj/Vserial" $mode
