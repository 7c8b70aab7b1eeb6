#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Proves one harness. Exit code 0: proven, 1: a counterexample, 3: neither.
#     tests/formal/prove.sh ENGINE DEPTH HARNESS [PARAMETER=VALUE ...]
# ENGINE is
#     pdr     property directed reachability (yosys-abc): for all time from reset; DEPTH is ignored
#     induct  k-induction with yosys-smtbmc and z3, DEPTH cycles: for all time
#     bmc     yosys-smtbmc and z3: the first DEPTH cycles only
#     abmc    the same with yosys-abc
# RTL names the directory of the templates, OUT that of the results, SECONDS_MAX limits the processor time.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rtl=${RTL:-$here/../../rtl_templates}
engine=$1
depth=$2
harness=$3
shift 3
work=${OUT:-$here/../../build/formal}/$harness-$engine$(printf -- '-%s' "$@" | tr -c 'A-Za-z0-9=_\n-' '_')
mkdir -p "$work"
work=$(cd "$work" && pwd)
ulimit -t "${SECONDS_MAX:-900}"

# The harness with its parameters' defaults replaced: that reads strings and negative numbers too.
cp "$here/$harness.v" "$work/harness.v"
for p in "$@"; do
    name=${p%%=*}
    grep -q "^ *parameter $name " "$work/harness.v" || { echo "no verdict: $harness has no parameter $name"; exit 3; }
    sed -i "s|^\( *parameter $name *= *\)[^,/]*[^,/ ]|\1${p#*=}|" "$work/harness.v"
done
i=0
while [ $i -lt 256 ]; do printf '%02x\n' $((i ^ 0x5a)); i=$((i + 1)); done >"$work/table.hex"

templates=$(ls "$rtl"/aihls_*.v)
# Some take multipliers of tests/formal/abstract in place of the real ones.
case "$harness $* " in
"fv_chain "*) abstract="aihls_mac" ;;
"fv_binary "*"MUL=1 "*) abstract="aihls_lutmul aihls_constword" ;;
*) abstract="" ;;
esac
for a in $abstract; do
    templates="$(printf '%s\n' $templates | grep -v "^$rtl/$a.v") $here/abstract/$a.v"
done
read="read_verilog -formal -sv $here/fv_lib.v $work/harness.v; read_verilog -sv -defer $(echo $templates)
    hierarchy -check -top $harness; proc; flatten; opt_expr; opt_clean; setundef -anyseq"
# An undefined value is any value (setundef).
# fv_fifo_deep looks into the device's memory: its read port is moved there.
peek=""
if grep -q 'peek' "$work/harness.v"; then
    peek='setparam -set MEMID "\u_dut.g_mem.g_lut.mem" c:$memrd$\peek*; delete m:peek'
    case " $* " in *" BLOCK=1 "*) peek='setparam -set MEMID "\u_dut.g_mem.g_block.u_ram.g_block.mem" c:$memrd$\peek*; delete m:peek' ;; esac
fi
cd "$work"
case $engine in
induct | bmc) model="$peek; memory -nordff -nomap; opt -full; async2sync; dffunmap; opt_clean; write_smt2 -wires model.smt2" ;;
*) model="opt -full; memory_map; opt -full; async2sync; formalff -clk2ff; techmap; setundef -anyseq
    opt -fast; simplemap; dffunmap; opt_clean; abc -g AND -fast; opt_clean; write_aiger -zinit model.aig" ;;
esac
printf '%s\n%s\n' "$read" "$model" >model.ys
yosys -q -l yosys.log -s model.ys >yosys.out 2>&1 || { tail -3 yosys.out; exit 3; }
smtbmc() { # ARGUMENTS: says in the log whether it passed
    yosys-smtbmc -s z3 --noprogress -t "$depth" "$@" model.smt2 >>engine.log 2>&1
}
rm -f engine.log
counterexample() { # WHERE; anything else than a counterexample is an error, which catches no mutant
    echo "counterexample $1"
    exit 1
}
error() {
    echo "no verdict: $1"
    exit 3
}
bmc() {
    smtbmc --dump-vcd bmc.vcd && return 0
    grep -q "Status: FAILED" engine.log && counterexample "within $depth cycles"
    error "$(tail -1 engine.log)"
}
case $engine in
induct)
    bmc
    smtbmc -i --dump-vcd induct.vcd || error "not inductive in $depth cycles"
    ;;
bmc) bmc ;;
pdr)
    yosys-abc -c "read_aiger model.aig; fold; strash; scorr; pdr" >engine.log 2>&1 || true
    found=$(grep -oE "asserted in frame [0-9]+" engine.log | head -1)
    [ -z "$found" ] || counterexample "$found"
    grep -q "Property proved" engine.log || error "pdr has not finished"
    ;;
abmc)
    yosys-abc -c "read_aiger model.aig; fold; strash; bmc3 -F $depth" >engine.log 2>&1 || true
    found=$(grep -oE "asserted in frame [0-9]+" engine.log | head -1)
    [ -z "$found" ] || counterexample "$found"
    grep -qE "No output (failed|asserted) in $depth frames" engine.log || error "$(tail -1 engine.log)"
    ;;
*) error "no engine $engine" ;;
esac
echo proven
