#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Plants each bug of mutants.txt in a copy of the templates and runs what must catch it. A mutant counts as caught only by a
# counterexample, not by an error. Exit code 0 only when all are caught and every bug could be planted.
#     tests/formal/mutate.sh [NAME_PATTERN]
# JOBS: how many at a time [all processors]. Output goes to build/mutation.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../../build/mutation

job() { # LINE_NUMBER
    line=$(sed -n "$1p" "$here/mutants.txt")
    field() { printf '%s' "$line" | cut -f"$1"; }
    dir=$out/$1
    rm -rf "$dir"
    mkdir -p "$dir/rtl"
    cp "$here"/../../rtl_templates/*.v "$dir/rtl"
    template=$dir/rtl/$(field 2).v
    cp "$template" "$dir/before.v"
    sed -i "$(field 3)" "$template"
    command=$(field 4)
    start=$(date +%s)
    if cmp -s "$template" "$dir/before.v"; then
        verdict="NOT PLANTED: the template has changed"
    else
        export RTL="$dir/rtl" OUT="$dir"
        status=0
        case $command in arith.sh*) sh "$here/arith.sh" build >"$dir/log" 2>&1 || status=$? ;; esac
        # shellcheck disable=SC2086
        [ $status -ne 0 ] || sh "$here/"$command >"$dir/log" 2>&1 || status=$?
        case $status in
        0) verdict="SURVIVED" ;;
        1) verdict="caught" ;;
        *) verdict="NO VERDICT: $(tail -1 "$dir/log")" ;;
        esac
    fi
    rm -rf "$dir/arith"
    printf '%-46s %-15s %5s s  %-8s %s\n' "$(field 1)" "$(field 2)" $(($(date +%s) - start)) "$verdict" "$command" >"$dir/result"
}
if [ "${1:-}" = --job ]; then
    job "$2"
    exit 0
fi
lines=$(awk -F'\t' -v w="${1:-.}" '/^#/ { next } $1 ~ w { print NR }' "$here/mutants.txt")
[ -n "$lines" ] || { echo "no mutant is called '$1'" >&2; exit 2; }
mkdir -p "$out"
rm -f "$out"/*/result
begin=$(date +%s)
printf '%s\n' "$lines" | xargs -P "${JOBS:-$(nproc)}" -n 1 sh "$0" --job
caught=0
for n in $lines; do
    cat "$out/$n/result"
    ! grep -q ' s  caught ' "$out/$n/result" || caught=$((caught + 1))
done
total=$(printf '%s\n' "$lines" | wc -l)
echo "$total mutants, $caught caught, $(($(date +%s) - begin)) s"
[ "$caught" -eq "$total" ]
