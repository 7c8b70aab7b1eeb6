#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Includes run one way: base <- frontend <- dataflow <- hls. `sim` may use base, the graph and the
# pipeline; the frontend may use sim's arrays and float reference (constant folding). `drivers` is what users link:
# it uses nothing, and its stages are sim's integer reference. Every header compiles alone.
set -u
bad=0
check() { # folder, allowed folders
    for f in "$1"/*.c "$1"/*.h; do
        for dep in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$f" | sort -u); do
            case " $1 $2 " in
            *" $dep "*) ;;
            *) echo "$f includes $dep/"; bad=1 ;;
            esac
        done
    done
}
check base ""
check frontend "base sim"
check sim "base frontend dataflow drivers"
check drivers ""
check dataflow "base frontend sim"
check hls "base frontend dataflow sim drivers"
grep -l 'include "dataflow/\|include "hls/' frontend/*.[ch] base/*.[ch] 2>/dev/null && bad=1
for h in base/*.h frontend/*.h dataflow/*.h sim/*.h hls/*.h drivers/*.h; do
    gcc -std=c11 -D_GNU_SOURCE -I. -Ibuild/gen -fsyntax-only -x c "$h" 2>build/check_layers.txt || { echo "$h does not compile alone"; head -3 build/check_layers.txt; bad=1; }
done
rm -f build/check_layers.txt
[ $bad = 0 ] && echo "layers and headers: clean"
exit $bad
