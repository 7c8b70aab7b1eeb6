#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# aihls beside ONNX Runtime: makes networks of torchvision, times both, and writes docs/speed.md.
#     tests/speed.sh AIHLS [NETWORK...]
# Skips, and says so, where packages are not to be had.
set -eu
aihls=$1
shift
. tests/venv.sh
/usr/bin/python3 -c 'import torchvision' 2>/dev/null || { echo "skipped: python3-torchvision is not installed"; exit 0; }
dir=build/torchvision
for n in ${*:-resnet50 mobilenet_v2}; do
    [ -f $dir/$n.onnx ] || /usr/bin/python3 -W ignore tests/pytorch_networks.py "$aihls" $dir $n >/dev/null
done
status=0
"$venv/bin/python" tests/speed.py "$aihls" $dir "$@" >build/speed.md || status=$?
[ $# -gt 0 ] || [ $status -ne 0 ] || cp build/speed.md docs/speed.md
exit $status
