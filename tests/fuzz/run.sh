#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the readers of files (tests/fuzz/fuzz.h): builds everything with clang, ASan and UBSan into build/fuzz, makes the
# seeds, runs each target, and says what it did. A target's corpus stays in build/fuzz/corpus, for the next run to
# begin with; inputs that fail go to build/fuzz/found.
#     tests/fuzz/run.sh [TARGET...]       all of them: onnx board npy npz
#     FUZZ_SECONDS      for each target (60)
#     FUZZ_ENGINE       libfuzzer, or afl: AFL++'s afl-clang-fast and afl-fuzz
set -u
engine=${FUZZ_ENGINE:-libfuzzer}
seconds=${FUZZ_SECONDS:-60}
out=build/fuzz
flags="-std=c11 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"
case $engine in
libfuzzer) cc=clang-14 cover=-fsanitize=fuzzer-no-link ;;
afl) cc=afl-clang-fast cover= out=build/afl ;;
*) echo "FUZZ_ENGINE=$engine: libfuzzer or afl" >&2; exit 2 ;;
esac
command -v $cc >/dev/null || { echo "fuzz: skipped, $cc is not installed (clang-14 and libclang-rt-14-dev, or afl++)"; exit 0; }
echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return n > 99 && *p; }' >build/fuzz_probe.c
$cc -fsanitize=fuzzer,address -o build/fuzz_probe build/fuzz_probe.c 2>/dev/null || { echo "fuzz: skipped, $cc has no run-time libraries (libclang-rt-14-dev)"; exit 0; }
rm -f build/fuzz_probe build/fuzz_probe.c

# The sources as the Makefile has them, without OpenMP: a fuzzer is one thread.
export AFL_QUIET=1
objects="$out/tests/support/model.o"
for f in tests/fuzz/*.c; do
    [ "$f" = tests/fuzz/entry.c ] || objects="$objects $out/${f%.c}.o"
done
make -s B=$out CC=$cc CFLAGS="$flags $cover" WARNINGS= $objects $out/libaihls.a >$out.log 2>&1 || { tail -20 $out.log; exit 1; }
link() { # program, flags
    program=$1
    shift
    $cc -I. -D_GNU_SOURCE $flags "$@" -o "$out/$program" tests/fuzz/entry.c $objects $out/libaihls.a \
        $(pkg-config --libs jansson libxml-2.0 libzip nettle libprotobuf-c) -lopenblas -lm
}
link seeds $cover -DFUZZ_TARGET=fuzz_npy -DFUZZ_MAIN && $out/seeds --seeds $out/seeds.d || exit 1

# An input that takes much memory is a mistake too. Time: see entry.c.
export OPENBLAS_NUM_THREADS=1 ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:symbolize=0:allocator_may_return_null=1
export AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1
bad=0
for target in ${*:-onnx board npy npz}; do
    corpus=$out/corpus/$target log=$out/$target.log
    mkdir -p "$corpus" $out/found
    extra=
    [ "$target" != onnx ] || extra=-dict=tests/fuzz/onnx.dict
    if [ $engine = libfuzzer ]; then
        mutator=
        [ "$target" != onnx ] || mutator=-DFUZZ_MUTATOR=fuzz_mutate_onnx
        link "$target" -fsanitize=fuzzer -DFUZZ_TARGET=fuzz_$target $mutator || exit 1
        ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 $out/$target "$corpus" $out/seeds.d/$target $extra -max_total_time="$seconds" -timeout=120 -rss_limit_mb=2048 \
            -max_len=4096 -print_final_stats=1 -artifact_prefix=$out/found/$target- >"$log" 2>&1 || bad=1
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        echo "$target: ${runs:-0} runs, $(grep -o 'cov: [0-9]* ft: [0-9]*' "$log" | tail -1), $(grep -c '^SUMMARY' "$log") found"
    else
        link "$target" -fsanitize=fuzzer -DFUZZ_TARGET=fuzz_$target || exit 1
        afl-fuzz -i $out/seeds.d/$target -o "$corpus" ${extra:+-x tests/fuzz/onnx.dict} -t 120000 -m none -V "$seconds" -- $out/$target >"$log" 2>&1 || { tail -5 "$log"; bad=1; }
        stats=$corpus/default/fuzzer_stats
        value() { sed -n "s/^$1 *: //p" "$stats"; }
        echo "$target: $(value execs_done) runs, $(value bitmap_cvg) of the edges, $(value saved_crashes) crashes, $(value saved_hangs) hangs"
        [ "$(value saved_crashes)$(value saved_hangs)" = 00 ] || bad=1
    fi
done
[ $bad = 0 ] && echo "fuzz: clean" || echo "fuzz: see $out/found and the logs in $out"
exit $bad
