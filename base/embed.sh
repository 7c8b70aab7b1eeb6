#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed: writes the table of base/embed.h as assembler on standard output.
#
#     sh base/embed.sh boards/board.xsd boards/ultra96/board.xml > build/embed.S
#
# Run it and the assembler from the repository's root: paths are kept as given. The object
# must depend on the listed files. Order and repetition on the command line do not matter.
set -eu
export LC_ALL=C

for path in "$@"; do
    case $path in
    /* | ./* | *..* | *[!A-Za-z0-9._/-]*)
        echo "embed.sh: '$path' is no plain path from the root" >&2
        exit 1
        ;;
    esac
    [ -f "$path" ] || { echo "embed.sh: there is no file '$path'" >&2; exit 1; }
done
[ $# -gt 0 ] || { echo "embed.sh: no files" >&2; exit 1; }

printf '%s\n' "$@" | sort -u | awk '
BEGIN { n = 0 }
{
    folder = ""
    parts = split($0, part, "/")
    if (parts > 1)
        folder = part[parts - 1]
    texts = texts sprintf(".Lpath%d: .asciz \"%s\"\n.Lfolder%d: .asciz \"%s\"\n", n, $0, n, folder)
    bytes = bytes sprintf("\t.balign 16\n.Lfile%d: .incbin \"%s\"\n.Lend%d: .byte 0\n", n, $0, n)
    table = table sprintf("\tWORD .Lpath%d, .Lfile%d, .Lend%d - .Lfile%d, .Lfolder%d\n", n, n, n, n, n)
    n++
}
END {
    print "// SPDX-License-Identifier: Apache-2.0"
    print "// Written by base/embed.sh; do not edit."
    print "#if __SIZEOF_POINTER__ == 8\n#define WORD .8byte\n#else\n#define WORD .4byte\n#endif"
    print "\t.section .rodata\n" texts bytes
    print "\t.balign 4\n\t.globl embedded_count\nembedded_count: .4byte " n
    # Pointers: a position independent program relocates them before it makes them read-only.
    print "\t.section .data.rel.ro,\"aw\"\n\t.balign 16\n\t.globl embedded_files\nembedded_files:\n" table
    print "\t.section .note.GNU-stack,\"\",%progbits"
}'
