#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One batch of the operator matrix: tests/rtl/soak.sh BUILD CASES SEED. Prints a line when all passed, else what failed.
B=$1 cases=$2 seed=$3
dir=$B/soak/$seed
: "${CXX:=$(command -v clang++-14 || echo g++)}"
export CXX
# 255 stops xargs
AIHLS_OPS_CASES=$cases AIHLS_OPS_SEED=$seed AIHLS_OPS_DIR=$dir "$B/tests/flow/test_ops" >"$dir.log" 2>&1 || {
    grep -E '^ERROR|FAILED|this command failed' "$dir.log" || tail -5 "$dir.log"
    exit 255
}
echo "cases $seed to $((seed + cases - 1)): passed"
rm -rf "$dir" "$dir.log"
