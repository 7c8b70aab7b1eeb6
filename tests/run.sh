#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs test programs one after the other and sums up. A program that takes longer than LIMIT seconds hangs: it is ended,
# which is a failure, and the next one has its turn.
#     tests/run.sh BUILD_DIR PROGRAM...
set -u
LIMIT=1500
export AIHLS_BIN="$1/aihls"
shift
passed=0
failed=0
skipped=0
total=$#
n=0
for t in "$@"; do
    n=$((n + 1))
    start=$(date +%s)
    log="$t.log"
    timeout -k 5 $LIMIT "$t" >"$log" 2>&1 & # in the background, so that Ctrl-C ends it too
    trap "kill $!; exit 130" INT TERM
    wait $!
    status=$?
    [ $status -ne 124 ] || echo "ended after $LIMIT s" >>"$log"
    # cmocka's own summary
    count() { sed -n "s/^\[  $1  *\] \([0-9]*\) test(s).*/\1/p" "$log" | tail -1; }
    p=$(count PASSED)
    f=$(count FAILED)
    s=$(count SKIPPED)
    p=${p:-0} f=${f:-0} s=${s:-0}
    [ $status -eq 0 ] || [ "$f" -gt 0 ] || f=1
    printf '[%2d/%d] %-28s %4d passed, %d failed, %d skipped (%d s)\n' $n "$total" "$(basename "$t")" "$p" "$f" "$s" $(($(date +%s) - start))
    [ "$f" -eq 0 ] || { echo "---- $log"; grep -v '^\[\(       OK\| RUN \)' "$log" | tail -40; }
    passed=$((passed + p))
    failed=$((failed + f))
    skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
