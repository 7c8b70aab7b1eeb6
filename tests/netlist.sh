#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Simulates what Yosys makes of an iCE40's design in place of the Verilog: uart_bench of an output directory (the UART shell with a
# fast line) as a netlist of the vendor's cells, behind `aihls sim --shell uart`.
#     tests/netlist.sh build/aihls DIR [FRAMES]
set -eu
aihls=$(realpath "$1")
original=$(realpath "$2")
work=$original.netlist
rm -rf "$work"
cp -r "$original" "$work"
cd "$work"
rm -rf sim/build_*
name=$(basename rtl/*_uart.v _uart.v)
cells=${YOSYS_DATDIR:-/usr/share/yosys}/ice40/cells_sim.v
yosys -q -l sim/netlist.log -p "$(sed 's/^/read_verilog -sv /' "rtl/$name.f"); read_verilog -sv sim/uart_bench.v; chparam -set TECH \"ICE40UP\" uart_bench
    read_verilog -lib +/ice40/cells_sim.v; hierarchy -check -top uart_bench; synth_ice40 -device u -spram -top uart_bench
    write_verilog -noattr sim/uart_bench.v" >sim/netlist.out 2>&1
# Verilator 5.006 takes no defaults of ports. The netlist is the whole design.
{ echo '`define NO_ICE40_DEFAULT_ASSIGNMENTS'; cat "$cells"; } >>sim/uart_bench.v
echo "// nothing" >rtl/empty.v
echo "rtl/empty.v" >"rtl/$name.f"
for f in "rtl/$name.f" sim/uart_bench.v; do
    sed -i "s/$(sha256sum "$original/$f" | cut -d' ' -f1)/$(sha256sum "$f" | cut -d' ' -f1)/" manifest.json
done
cd - >/dev/null
"$aihls" sim "$work" --shell uart --frames "${3:-3}"
