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
venv=build/venv
for dir in "$models" "$inputs"; do
    [ -d "$dir" ] || { echo "skipped: $dir is not there (AIHLS_MODELS, AIHLS_INPUTS)"; exit 0; }
done
has() { "$venv/bin/python" -c 'import numpy, onnx, onnxruntime.quantization' 2>/dev/null; }
if ! has; then
    { /usr/bin/python3 -m venv "$venv" && "$venv/bin/pip" install -q onnx onnxruntime; } >build/venv.log 2>&1
    has || { echo "skipped: no onnx and onnxruntime from PyPI, see build/venv.log"; exit 0; }
fi
write="--write docs/quantization.md"
[ $# -eq 0 ] || write= # some rows are no table
exec "$venv/bin/python" tests/quantization.py "$aihls" "$models" "$inputs" $write "$@"
