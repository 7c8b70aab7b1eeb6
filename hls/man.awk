# SPDX-License-Identifier: Apache-2.0
# The manual page aihls.1 from what `aihls --help` prints (man(7): groff_man).
function text(s) {
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    return s ~ /^[.']/ ? "\\&" s : s
}
function verbatim(on) {
    if (on != filling_off)
        print on ? ".nf" : ".fi"
    filling_off = on
}
BEGIN { print ".\\\" SPDX-License-Identifier: Apache-2.0\n.TH AIHLS 1" }
/^[A-Z]/ {
    verbatim(0)
    print ".SH " "\"" text($0) "\""
    section = $0
    next
}
/^$/ { next }
# an option: flags to column 32, then what it does
/^ *(-[a-z], )?--[a-z]/ && section !~ /^(SYNOPSIS|EXAMPLES)/ {
    verbatim(0)
    match($0, /^ *(-[a-z], )?--[a-z-]+( [^ ]+)?/)
    flags = substr($0, 1, RLENGTH)
    rest = substr($0, RLENGTH + 1)
    sub(/^ */, "", flags)
    sub(/^ */, "", rest)
    print ".TP\n.B " text(flags) "\n" text(rest)
    next
}
{
    verbatim(section !~ /^(NAME|DESCRIPTION|FILES)/)
    sub(/^    /, "")
    print text($0)
}
END { verbatim(0) }
