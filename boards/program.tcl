# SPDX-License-Identifier: Apache-2.0
# program.tcl: the bitstream into the board that is connected by JTAG, until its power goes.
#     vivado -mode batch -source program.tcl -tclargs [URL of hw_server]

set here [file dirname [file normalize [info script]]]
source [file join $here settings.tcl]
set bit [file join $here $design(name).bit]
if {![file exists $bit]} {
    error "there is no $bit\n  help: make bitstream"
}
open_hw_manager
connect_hw_server -url [expr {[llength $argv] > 0 ? [lindex $argv 0] : "localhost:3121"}]
open_hw_target
# Of a chain with processors and other parts, the one that the bitstream is for: "xczu3_0" of part xczu3eg-...
set found {}
foreach device [get_hw_devices] {
    if {[regexp {^(xc.*)_[0-9]+$} $device -> name] && [string match -nocase $name* $design(part)]} {
        lappend found $device
    }
}
if {[llength $found] != 1} {
    error "[llength $found] devices of the chain ([get_hw_devices]) could be $design(part)\n  help: connect one such board, switched on, in JTAG mode"
}
current_hw_device $found
set_property PROGRAM.FILE $bit $found
program_hw_devices $found
refresh_hw_device $found
puts "programmed: $found"
