#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes bitstreams with the open flow, and writes what nextpnr says of them beside the prediction into docs/60-boards.md.
#     tests/bitstreams.sh build/aihls [ROW...]     ROW as in the list below [all]
# Needs Yosys and nextpnr (docs/85-projects.md); build/venv/bin is looked into too. Minutes for a network, an hour for a full chip.
set -u
aihls=$(realpath "$1")
shift
PATH=$PATH:$PWD/build/venv/bin
export PATH
models=${AIHLS_MODELS:-../shared/models}
dir=build/bitstreams
mkdir -p $dir
digits="tests/models/digits/digits.onnx --calib tests/models/digits/digits_calib.npy --board"
# name of the module (places and routes follow from it), what the table says, the compiler's arguments
rows="ds|mt_dscnn_int8, \`--fps 200\`|$models/mt_dscnn_int8.onnx --board ulx3s-85f --fps 200 --clock-mhz 100
rn|mt_resnet8_int8, \`--fps 40\`|$models/mt_resnet8_int8.onnx --board ulx3s-85f --fps 40 --clock-mhz 100
digits_small|digits, \`--fps 1000\`|$digits ulx3s-85f --fps 1000
digits_serial|digits, \`--serial\`|$digits icebreaker --serial
digits_spi|digits, \`--serial --line spi\`|$digits icebreaker --serial --line spi
ds_serial|mt_dscnn_int8, \`--serial\`|$models/mt_dscnn_int8.onnx --board icebreaker --serial
digits|digits|$digits ulx3s-85f"
failed=0
for row in ${*:-$(echo "$rows" | cut -d'|' -f1)}; do
    arguments=$(echo "$rows" | sed -n "s/^$row|[^|]*|//p")
    title=$(echo "$rows" | sed -n "s/^$row|\([^|]*\)|.*/\1/p")
    [ -n "$arguments" ] || { echo "no row is called '$row'" >&2; exit 2; }
    [ -f "${arguments%% *}" ] || { echo "skipped: ${arguments%% *} is not there"; continue; }
    # shellcheck disable=SC2086
    "$aihls" $arguments --name "$row" -q -o "$dir/$row" || exit 1
    make -s -C "$dir/$row/project" bitstream >"$dir/$row.log" 2>&1 || failed=1
    sed -n "s/^| $row |/| $title |/p" "$dir/$row.log" | tail -1 >"$dir/$row.row" # of the last seed
    cat "$dir/$row.log"
done
cat "$dir"/*.row >"$dir/table" 2>/dev/null || exit 1
awk -v rows="$dir/table" '/^<!-- end of bitstreams -->/ { skip = 0 } !skip { print } /^\| network \| board \| Fmax/ { getline; print; while ((getline line < rows) > 0) print line; skip = 1 }' \
    docs/60-boards.md >"$dir/60-boards.md" && cp "$dir/60-boards.md" docs/60-boards.md
exit $failed
