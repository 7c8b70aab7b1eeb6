#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Simulates the netlist that nextpnr-ice40 has placed and routed, in place of the Verilog: uart_bench of an output directory for an
# iCE40 (the UART shell with a fast line), through `aihls sim --shell uart` on the vendor's cells as Yosys models them.
#     tests/placed.sh build/aihls DIR [FRAMES]
set -eu
aihls=$(realpath "$1")
original=$(realpath "$2")
work=$original.placed
frames=${3:-3}
rm -rf "$work"
cp -r "$original" "$work"
cd "$work"
rm -rf sim/build_*
name=$(basename rtl/*_uart.v _uart.v)
device=$(sed -n 's/^DEVICE := //p' project/settings.mk)
cells=${YOSYS_DATDIR:-/usr/share/yosys}/ice40/cells_sim.v
yosys -q -l sim/placed.log -p "$(sed 's/^/read_verilog -sv /' "rtl/$name.f"); read_verilog -sv sim/uart_bench.v; chparam -set TECH \"ICE40UP\" uart_bench
    read_verilog -lib +/ice40/cells_sim.v; hierarchy -check -top uart_bench; synth_ice40 -device u -top uart_bench -json sim/placed.json" >sim/placed.out 2>&1
# shellcheck disable=SC2086
nextpnr-ice40 $device --pcf-allow-unconstrained --freq 24 --timing-allow-fail --json sim/placed.json --write sim/routed.json >sim/nextpnr.log 2>&1
yosys -q -p "read_json sim/routed.json; write_verilog -noattr sim/uart_bench.v" >>sim/placed.out 2>&1
# The cells' models are for any simulator; the program's list of files has them in place of the design.
cat "$cells" >>sim/uart_bench.v
echo "rtl/empty.v" >"rtl/$name.f"
echo "// nothing" >rtl/empty.v
for f in "rtl/$name.f" sim/uart_bench.v; do
    sed -i "s/$(sha256sum "$original/$f" | cut -d' ' -f1)/$(sha256sum "$f" | cut -d' ' -f1)/" manifest.json
done
cd - >/dev/null
"$aihls" sim "$work" --shell uart --frames "$frames"
