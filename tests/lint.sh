#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Static checks: include layers, headers, licence lines, Verilog lint of what is emitted, gcc -fanalyzer; cppcheck and
# clang-tidy if installed.
set -u
bad=0
sh tests/check_layers.sh || bad=1
for f in $(git ls-files '*.c' '*.h' '*.v' '*.cpp' '*.py' '*.sh' '*.def' Makefile); do
    head -3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || { echo "$f: no SPDX line"; bad=1; }
done
out=build/lint
mkdir -p $out
for board in ultra96 pynq-z2 ulx3s-85f; do
    for option in "" --reloadable; do
        dir=$out/digits-$board$option
        # shellcheck disable=SC2086
        build/aihls tests/models/digits/digits.onnx --board $board --calib tests/models/digits/digits_calib.npy $option -q -o $dir || bad=1
        for top in digits digits_axis digits_axi digits_uart digits_spi; do
            [ -f "$dir/rtl/$top.v" ] || continue # boards with a processor have the AXI shell, others the UART and SPI shells
            (cd $dir && verilator --lint-only -Wall --top-module $top -f rtl/digits.f) && echo "$top on $board $option: verilator -Wall clean" || bad=1
        done
    done
done

sources=$(git ls-files "base/*.c" "frontend/*.c" "dataflow/*.c" "sim/*.c" "hls/*.c" "drivers/aihls*.c")
flags="-std=c11 -I. -Ibuild/gen -D_GNU_SOURCE $(pkg-config --cflags jansson libxml-2.0 libzip nettle libprotobuf-c | sed 's/-I/-isystem /g')"
printf '%s\n' $sources | xargs -P 2 -n 1 gcc $flags -O1 -fanalyzer -Werror -c -o /dev/null && echo "gcc -fanalyzer: clean" || bad=1

# Left out, and why:
#   DeprecatedOrUnsafeBufferHandling        asks for Annex K, which no C library here has
#   cert-err33-c                            every fprintf to stderr; what is written to files is checked by fclose
#   cert-env33-c                            Verilator runs through a shell, with quoted arguments
#   bugprone-easily-swappable-parameters    heights and widths are all of one type
#   bugprone-sizeof-expression              takes every array of pointers for a mistake
#   bugprone-narrowing-conversions          gcc's -Wconversion is on, and knows that a choice of two int8_t is one
#   bugprone-implicit-widening-...          factors of folds, whose products stay far below 2^31
checks='-*,bugprone-*,cert-*,clang-analyzer-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,-cert-err33-c,-cert-env33-c'
checks="$checks,-bugprone-easily-swappable-parameters,-bugprone-sizeof-expression,-bugprone-narrowing-conversions,-bugprone-implicit-widening-of-multiplication-result"
if command -v clang-tidy-14 >/dev/null; then
    printf '%s\n' $sources | xargs -P 2 -I{} clang-tidy-14 --quiet "--checks=$checks" '--warnings-as-errors=*' {} -- $flags 2>$out/tidy.log &&
        echo "clang-tidy: clean" || bad=1
else
    echo "clang-tidy: skipped, clang-tidy-14 is not installed"
fi
if command -v cppcheck >/dev/null; then
    cppcheck --quiet --enable=warning,portability --suppress=nullPointer --suppress=nullPointerRedundantCheck --error-exitcode=1 -I. -Ibuild/gen $(git ls-files "base/*.c" "frontend/*.c" "dataflow/*.c" "sim/*.c" "hls/*.c" "drivers/*.c") && echo "cppcheck: clean" || bad=1
else
    echo "cppcheck: skipped, not installed"
fi
exit $bad
