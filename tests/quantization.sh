#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# aihls beside ONNX Runtime's quantizer: writes the table in docs/quantization.md.
#     tests/quantization.sh AIHLS [MODEL...]
# Skips, and says so, where models or packages are not to be had.
set -u
aihls=$1
shift
models=${AIHLS_MODELS:-../shared/models}
inputs=${AIHLS_INPUTS:-../shared/inputs}
for dir in "$models" "$inputs"; do
    [ -d "$dir" ] || { echo "skipped: $dir is not there (AIHLS_MODELS, AIHLS_INPUTS)"; exit 0; }
done
. tests/venv.sh
write="--write docs/quantization.md"
[ $# -eq 0 ] || write= # some rows are no table
exec "$venv/bin/python" tests/quantization.py "$aihls" "$models" "$inputs" $write "$@"
