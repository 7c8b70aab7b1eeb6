# SPDX-License-Identifier: Apache-2.0
# Sourced: $venv, a virtual environment with onnx and onnxruntime from PyPI. Where they are not to be had the script ends here,
# and says so.
venv=build/venv
has() { "$venv/bin/python" -c 'import numpy, onnx, onnxruntime.quantization' 2>/dev/null; }
if ! has; then
    { /usr/bin/python3 -m venv "$venv" && "$venv/bin/pip" install -q onnx onnxruntime; } >build/venv.log 2>&1 || true
    has || { echo "skipped: no onnx and onnxruntime from PyPI, see build/venv.log"; exit 0; }
fi
