# SPDX-License-Identifier: Apache-2.0
# common.tcl: what the scripts for Vivado and Quartus share. Platform Designer's Tcl may be as old as 8.4: no dict, no {*}.

proc give_up {message help} {
    error "$message\n  help: $help"
}

# The lines of preset.txt, settings of the processor system: a name and its value each. Empty where there is no such file.
proc read_preset {path} {
    set pairs {}
    if {![file exists $path]} {
        return $pairs
    }
    set f [open $path]
    foreach line [split [read $f] "\n"] {
        if {[regexp {^([A-Z0-9_]+) (.+)$} $line all name value]} {
            lappend pairs $name $value
        }
    }
    close $f
    return $pairs
}

# A list of what is to be said, empty where `got` is within `percent` of `want`.
proc compare_count {what got want percent} {
    puts [format "%-12s %10.6g built, %10.6g predicted" $what $got $want]
    if {abs($got - $want) * 100 > $percent * $want} {
        return [list "$what: $got built, $want predicted"]
    }
    return {}
}

# Ends the script when the lists of compare_count say anything, unless the user accepts it.
proc judge_counts {wrong accept help} {
    if {[llength $wrong] == 0} {
        return
    }
    if {$accept} {
        puts "WARNING: [join $wrong {; }]"
        return
    }
    give_up [join $wrong "\n"] "$help All fits and timing is met: make bitstream ACCEPT=1, and report the difference"
}
