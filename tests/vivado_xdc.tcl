# SPDX-License-Identifier: Apache-2.0
# vivado_xdc.tcl: of vivado_model.tcl: constraints of a top without a block design. The commands are those of UG835 and UG903 that
# ours use; every port has one place and a standard, and the PLL's clock pin a clock of the period that the PLL was made for.

array set syntax {
    get_ports      {{regexp nocase} {filter of_objects match_style} 0 9}
    create_clock   {{add quiet} {name period waveform} 0 1}
    set_false_path {{setup hold rise fall reset_path} {from to through rise_from rise_to fall_from fall_to} 0 0}
}

proc port_named {words} {
    lassign [parse get_ports $words] given arguments
    set name [lindex $arguments 0]
    if {![dict exists $::ports $name]} {
        wrong "the top has no port $name"
    }
    return $name
}

proc xdc_set_property {words} {
    lassign [parse set_property $words] given arguments
    if {![dict exists $given dict] || [llength $arguments] != 1} {
        wrong "set_property $words"
    }
    foreach {name value} [dict get $given dict] {
        if {$name ni {PACKAGE_PIN IOSTANDARD}} {
            wrong "a port has no property $name to set"
        }
        if {$name eq "PACKAGE_PIN"} {
            if {![regexp {^[A-Z]{1,2}[0-9]{1,2}$} $value]} {
                wrong "$value is no pin of a package"
            }
            foreach other [dict keys $::placed *,PACKAGE_PIN] {
                if {[dict get $::placed $other] eq $value} {
                    wrong "pin $value has two ports"
                }
            }
        } elseif {$value ni {LVCMOS12 LVCMOS15 LVCMOS18 LVCMOS25 LVCMOS33}} {
            wrong "there is no IOSTANDARD $value"
        }
        dict set ::placed $arguments,$name $value
        note "= port $arguments $name $value"
    }
}

proc xdc_create_clock {words} {
    lassign [parse create_clock $words] given arguments
    set ::clock_of([lindex $arguments 0]) [option $given period]
    note "= clock [lindex $arguments 0] [option $given period]"
}

proc xdc_set_false_path {words} {
    lassign [parse set_false_path $words] given arguments
    if {[dict size $given] == 0} {
        wrong "a false path of everything"
    }
}

# In an interpreter of its own: constraints may use nothing else.
proc check_constraints {top files} {
    if {[llength $files] == 0} {
        wrong "there are no constraints"
    }
    set f [open $top]
    set text [read $f]
    close $f
    set ::ports {}
    set ::placed {}
    foreach {- direction name} [regexp -all -inline {\n    (input|output) +wire (\w+)} $text] {
        dict set ::ports $name $direction
    }
    foreach file $files {
        set xdc [interp create -safe]
        foreach command {set_property create_clock set_false_path} {
            $xdc alias $command apply {{to args} {note "$to $args"; xdc_$to $args}} $command
        }
        $xdc alias get_ports apply {{args} {port_named $args}}
        set f [open $file]
        $xdc eval [read $f]
        close $f
        interp delete $xdc
    }
    foreach name [dict keys $::ports] {
        foreach need {PACKAGE_PIN IOSTANDARD} {
            if {![dict exists $::placed $name,$need]} {
                wrong "port $name has no $need"
            }
        }
    }
    if {![regexp {CLKIN1_PERIOD\(([0-9.]+)\)} $text -> period] || ![regexp {CLKIN1\((\w+)\)} $text -> pin]} {
        wrong "the top has no PLL"
    }
    if {![info exists ::clock_of($pin)] || $::clock_of($pin) != $period} {
        wrong "port $pin has no clock of $period ns"
    }
    # What the PLL makes, from its own dividers.
    foreach name {DIVCLK_DIVIDE CLKFBOUT_MULT CLKOUT0_DIVIDE} {
        regexp "\\.$name\\((\\d+)\\)" $text -> divide($name)
    }
    set vco [expr {1000.0 / $period * $divide(CLKFBOUT_MULT) / $divide(DIVCLK_DIVIDE)}]
    if {$vco < 800 || $vco > 1600} {
        wrong "the PLL's oscillator runs at $vco MHz"
    }
    set hz [expr {round(1e6 * $vco / $divide(CLKOUT0_DIVIDE))}]
    if {$hz != $::design(clock_hz)} {
        wrong "the PLL makes $hz Hz, the script's clock is $::design(clock_hz)"
    }
    note "= clock_hz $hz"
}
