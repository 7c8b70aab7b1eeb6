# SPDX-License-Identifier: Apache-2.0
# The table of `aihls ops` as a page: domain, operator, opset, hardware ("at its ends" is three words), host, reference, notes.
NR == 1 { next }
{
    hardware = $4
    at = 5
    if ($4 == "at") {
        hardware = "at its ends"
        at = 7
    }
    notes = ""
    for (i = at + 2; i <= NF; i++)
        notes = notes (notes == "" ? "" : " ") $i
    gsub(/\|/, "\\|", notes)
    rows = rows "| " ($1 == "ai.onnx" ? "" : $1 ":") $2 " | " $3 " | " hardware " | " $at " | " $(at + 1) " | " notes " |\n"
    in_hardware += hardware != "-"
    host += $at == "yes"
    reference += $(at + 1) == "yes"
    n++
}
END {
    print "<!-- SPDX-License-Identifier: Apache-2.0 -->\n# Operators\n"
    print "Written by `make operators` from the tables of the program, which `aihls ops` prints. Hardware: in the pipeline; \"folded\" where it"
    print "disappears, \"at its ends\" in front of the first or behind the last stage. Host: by the run-time library, anywhere in the network"
    print "([the driver](70-driver.md)). Reference: by `aihls run --float`. What is rewritten runs where that runs which it becomes.\n"
    print "In hardware " in_hardware ", on the host " host ", in the float reference " reference " of " n " operators.\n"
    print "| operator | since opset | hardware | host | reference | notes |\n|---|---:|---|---|---|---|"
    printf "%s", rows
}
