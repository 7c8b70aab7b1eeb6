#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds programs for the board of shim.cpp: NAME_board_probe and NAME_board_hardware, in the current directory, from the output
# directory NAME of aihls, and NAME_board, the files of UIO and u-dma-buf that the back end "linux" sees. uio0 is another
# device, uio1 the accelerator; udmabuf1 is too small.
#     board.sh NAME          its driver has been built
set -eu
name=$1
source=$(cd "$(dirname "$0")" && pwd)
here=$PWD
root=$here/${name}_board
rm -rf "$root"
mkdir -p "$root/dev"
device() { # class/name bytes file:value...
    mkdir -p "$root/sys/class/$1"
    truncate -s "$2" "$root/dev/${1#*/}"
    shift 2
    for f in "$@"; do echo "${f#*:}" >"$root/sys/class/$at/${f%%:*}"; done
}
at=uio/uio0 device uio/uio0 65536 name:aihls_other
at=uio/uio1 device uio/uio1 65536 name:"aihls_$name"
sync="sync_offset:0 sync_size:0 sync_direction:0 sync_for_cpu:0 sync_for_device:0 dma_coherent:0"
# shellcheck disable=SC2086
at=u-dma-buf/udmabuf0 device u-dma-buf/udmabuf0 1048576 phys_addr:0x10000000 size:1048576 $sync
# shellcheck disable=SC2086
at=u-dma-buf/udmabuf1 device u-dma-buf/udmabuf1 4096 phys_addr:0x20000000 size:64 $sync

# NAME_axi, with the place of its memory images written out
sed "s|\"mem/|\"$here/$name/mem/|" "$name/rtl/${name}_core.v" >"$root/${name}_core.v"
sed "s|^rtl/${name}_core.v|$root/${name}_core.v|" "$name/rtl/$name.f" >"$root/axi.f"
(cd "$name" && verilator --cc --build -j 2 -Wno-fatal -O3 --output-split 20000 --output-split-cfuncs 500 --prefix Vaxi \
    --top-module "${name}_axi" --Mdir "$root/axi" -CFLAGS -O1 -f "$root/axi.f" >"$root/verilator.log" 2>&1) || { tail -20 "$root/verilator.log"; exit 1; }

include=$(verilator --getenv VERILATOR_ROOT)/include
cd "$root"
d=$here/$name/driver
c="${CC:-gcc} -std=c11 -g -O1 -Wall -Wextra -Werror -I$d -I$source"
$c -DAIHLS_REGISTER_FUNCTIONS -DAIHLS_LINUX_ROOT="\"$root\"" -c "$d"/libaihls/*.c "$d/${name}_network.c" "$d/${name}_reference.c" "$d/${name}_backends.c"
g++ -std=c++17 -g -O1 -Wall -Wextra -Werror -Iaxi -I"$d" -I"$source" -isystem "$include" -isystem "$include/vltstd" -c "$source/shim.cpp"
for p in probe hardware; do
    $c -include "$name.h" -DNETWORK="${name}_network" -DBACKEND="${name}_backend" -c "$source/$p.c" -o $p.main
    g++ -pthread -o "$here/${name}_board_$p" $p.main ./*.o axi/Vaxi__ALL.a "$d"/build/verilated*.o \
        -Wl,--wrap=mmap,--wrap=poll,--wrap=read,--wrap=write,--wrap=pwrite -lm -latomic
done
