#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes docs/pipeline.svg: the picture of the digits network in its report.html, by itself.
#     sh docs/picture.sh build/aihls
set -eu
aihls=$1
digits=tests/models/digits/digits
out=build/picture
"$aihls" $digits.onnx --board ultra96 --calib ${digits}_calib.npy -q -o $out
awk '/^<style>/ { style = 1 }
     style { css = css $0 "\n" }
     /^<\/style>/ { style = 0 }
     /class="pipeline"/ { print; print "<!-- SPDX-License-Identifier: Apache-2.0; made by docs/picture.sh -->"; printf "%s", css; picture = 1; next }
     picture { gsub(/<a href="#st[0-9]*">|<\/a>/, ""); print }
     /<\/svg>/ { picture = 0 }' $out/report.html >docs/pipeline.svg
