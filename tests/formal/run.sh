#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the proofs of proofs.txt on all processors and sums up; exit code 0 only when every one is proven.
#     tests/formal/run.sh [all | quick | MODULE]
# JOBS: how many at a time [all processors]. VECTORS: random results of the requantizers [10^8]. Output goes to
# build/formal, the summary to build/formal/summary.txt too.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-$here/../../build/formal}
VECTORS=${VECTORS:-100000000}
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
export OUT VECTORS

# Reads as: unbounded, or for how long.
depth_of() { # COMMAND
    # shellcheck disable=SC2086
    set -- $1
    case "$1 $2" in
    "prove.sh pdr") echo "pdr|all time" ;;
    "prove.sh induct") echo "induction, z3|all time, k = $3" ;;
    "prove.sh abmc") echo "bmc3|bounded, $3" ;;
    "structure.sh freeze") echo "sat|all states" ;;
    "structure.sh path") echo "netlist|structural" ;;
    "arith.sh vectors") echo "simulation|random, $VECTORS" ;;
    "../rtl/run.sh window") echo "simulation|random, $4 geometries" ;;
    "serial.sh vectors") echo "simulation|random, $3" ;;
    "arith.sh"* | "serial.sh"*) echo "simulation|every input" ;;
    esac
}
job() { # LINE_NUMBER: writes OUT/results/LINE_NUMBER
    line=$(sed -n "$1p" "$OUT/proofs.txt")
    field() { printf '%s' "$line" | cut -d'|' -f"$1" | sed 's/^ *//; s/ *$//'; }
    command=$(field 5 | sed "s/VECTORS/$VECTORS/")
    # shellcheck disable=SC2086
    result=$(sh "$here/"$command 2>&1 | tail -1) || true
    # processor seconds of everything that ran for it
    times >"$OUT/results/$1"
    seconds=$(tail -1 "$OUT/results/$1" | tr 'ms' '  ' | awk '{ printf "%.1f", $1 * 60 + $2 + $3 * 60 + $4 }')
    ok=$(case $result in proven | *"all right" | *": pass after"*) echo ok ;; *) echo FAILED ;; esac)
    printf '%s|%s|%s|%s|%s|%s: %s\n' "$(field 1)" "$(field 2)" "$(field 3)" "$(depth_of "$command")" "$seconds" "$ok" \
        "$result" >"$OUT/results/$1"
}
if [ "${1:-}" = --job ]; then
    job "$2"
    exit 0
fi

which=${1:-all}
lines=$(awk -F'|' -v w="$which" '/^#/ { next } { gsub(/ /, "", $1); gsub(/ /, "", $4) }
    w == "all" || (w == "quick" && $4 == "q") || w == $1 { print NR }' "$here/proofs.txt")
[ -n "$lines" ] || { echo "no proof is called '$which'" >&2; exit 2; }
rm -rf "$OUT/results"
mkdir -p "$OUT/results"
cp "$here/proofs.txt" "$OUT/proofs.txt"
start=$(date +%s)
case $which in all | aihls_requant | aihls_mac | aihls_mul) sh "$here/arith.sh" build ;; esac
printf '%s\n' "$lines" | xargs -P "${JOBS:-$(nproc)}" -n 1 sh "$0" --job
{
    printf '%-14s %-58s %-34s %-15s %-18s %8s  %s\n' module configuration property engine depth seconds result
    for n in $lines; do
        [ -f "$OUT/results/$n" ] || echo "line $n of proofs.txt|||||||FAILED: nothing came" >"$OUT/results/$n"
        awk -F'|' '{ printf "%-14s %-58.58s %-34.34s %-15s %-18s %8s  %s\n", $1, $2, $3, $4, $5, $6, $7 }' "$OUT/results/$n"
    done | sort -s -k1,1
} >"$OUT/summary.txt"
cat "$OUT/summary.txt"
bad=$(grep -c FAILED "$OUT/summary.txt" || true)
echo "$(printf '%s\n' "$lines" | wc -l) proofs, $bad failed, $(($(date +%s) - start)) s"
[ "$bad" -eq 0 ]
