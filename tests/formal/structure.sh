#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two claims about a template that need no time: exit code 0: proven, 1: a counterexample, 3: neither.
#     tests/formal/structure.sh freeze MODULE [PARAMETER=VALUE ...]
#         with en = 0 (and rst = 0, if there is one) every register keeps its value: SAT over all states and inputs
#     tests/formal/structure.sh path none|some FROM TO MODULE [PARAMETER=VALUE ...]
#         no (or some) combinational path leads from input FROM to output TO
# RTL names the directory of the templates, OUT that of the results.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rtl=${RTL:-$here/../../rtl_templates}
kind=$1
shift
if [ "$kind" = path ]; then
    want=$1 from=$2 to=$3
    shift 3
fi
module=$1
shift
work=${OUT:-$here/../../build/formal}/$kind-$module${from:+-$from-$to}$(printf -- '-%s' "$@" | tr -c 'A-Za-z0-9=_\n-' '_')
mkdir -p "$work"
parameters=""
for p in "$@"; do parameters="$parameters -chparam ${p%%=*} ${p#*=}"; done
read="read_verilog -sv -defer $(echo "$rtl"/aihls_*.v); hierarchy -check -top $module $parameters
    proc; flatten; opt_expr; memory_map; opt -full; dffunmap; opt_clean"
run() { # what to do with the flat netlist
    printf '%s\n%s\n' "$read" "$1" >"$work/run.ys"
    yosys -q -l "$work/yosys.log" -s "$work/run.ys" >"$work/yosys.out" 2>&1
}
fail() { # also when yosys itself fails
    tail -2 "$work/yosys.out"
    grep -qE "proof did fail|Assertion failed: selection" "$work/yosys.out" || exit 3
    echo counterexample
    exit 1
}
case $kind in
freeze)
    # Every register becomes a free value with an assertion that its next value is the same.
    reset=""
    ! grep -qE "input +wire +rst" "$rtl/$module.v" || reset="-set rst 0"
    run "select -assert-min 1 t:\$dff; design -save device; design -reset; read_verilog -formal -sv $here/freeze.v
        design -stash registers; design -load device; techmap -autoproc -map %registers t:\$dff; select -assert-none t:\$dff
        sat -verify -prove-asserts -set en 0 $reset" || fail
    ;;
path)
    # Without registers what is left is combinational.
    run "delete t:\$dff; select -assert-count 1 i:$from; select -assert-count 1 o:$to
        select -set both o:$to %ci* i:$from %i; select -assert-$([ "$want" = none ] && echo none || echo any) @both" || fail
    ;;
esac
echo proven
