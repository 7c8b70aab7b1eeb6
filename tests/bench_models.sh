# SPDX-License-Identifier: Apache-2.0
# The networks of the benchmarks; read by bench.sh and bench_boards.sh with `.`.
# MLPerf Tiny models are looked for in $AIHLS_MODELS (default ../shared/models), torchvision's are made here.
all_networks="mt_resnet8_int8 resnet20 mt_dscnn_int8 mt_vww_int8 mt_ad_int8 digits mobilenet_v2_025 mobilenet_v3_small_035 squeezenet1_1"
torchvision_dir=build/bench/models

# Sets $file and $calib for network $1. False, with a word to stderr: its file is not there.
find_model() {
    calib=
    case $1 in
    resnet20) file=tests/models/resnet20.onnx ;;
    digits) file=tests/models/digits/digits.onnx calib="--calib tests/models/digits/digits_calib.npy" ;;
    mobilenet_* | squeezenet*)
        file=$torchvision_dir/$1.onnx
        [ -f "$file" ] || /usr/bin/python3 tests/models/torchvision_narrow.py $torchvision_dir >&2 || true ;;
    *) file=${AIHLS_MODELS:-../shared/models}/$1.onnx ;;
    esac
    [ -f "$file" ] || { echo "skipped: $file is not there" >&2; return 1; }
}
