# SPDX-License-Identifier: Apache-2.0
# quartus.tcl: from the system that Platform Designer generated to NAME.sof, for Cyclone V with a processor.
#     quartus_sh -t quartus.tcl [JOBS] [ACCEPT]
# JOBS run side by side (default 4). ACCEPT 1: other resources than predicted are a warning. Slack below zero never is.
# Data is in settings.tcl (this design) and preset.txt (this board); docs/85-projects.md of aihls says what is assumed.
load_package flow
load_package report

set here [file dirname [file normalize [info script]]]
source [file join $here settings.tcl]
source [file join $here common.tcl]
set jobs [expr {[llength $quartus(args)] > 0 ? [lindex $quartus(args) 0] : 4}]
set accept [expr {[llength $quartus(args)] > 1 ? [lindex $quartus(args) 1] : 0}]
set seed 1
set work [file join $here quartus]

# ---- the project ----

proc start_project {} {
    global design here work jobs seed
    file delete -force $work
    file mkdir $work
    cd $work
    project_new $design(name) -overwrite -revision $design(name)
    set qip [file join $here system synthesis system.qip]
    if {![file exists $qip]} {
        give_up "there is no $qip" "make bitstream runs qsys-script and qsys-generate first"
    }
    foreach {name value} [list FAMILY $design(family) DEVICE $design(part) TOP_LEVEL_ENTITY $design(name)_board PROJECT_OUTPUT_DIRECTORY output \
                              NUM_PARALLEL_PROCESSORS $jobs SEED $seed QIP_FILE $qip VERILOG_FILE [file join $here $design(name)_board.v] \
                              SDC_FILE [file join $here $design(name)_board.sdc]] {
        set_global_assignment -name $name $value
    }
    set_location_assignment PIN_$design(pin_clk) -to clk
    set_instance_assignment -name IO_STANDARD "3.3-V LVTTL" -to clk
    array set preset {MEM_ROW_ADDR_WIDTH 15 MEM_BANKADDR_WIDTH 3 MEM_DQ_WIDTH 32}
    array set preset [read_preset [file join $here preset.txt]]
    foreach {parameter name} {MEM_A_WIDTH MEM_ROW_ADDR_WIDTH MEM_BA_WIDTH MEM_BANKADDR_WIDTH MEM_DQ_WIDTH MEM_DQ_WIDTH} {
        set_parameter -name $parameter $preset($name)
    }
    export_assignments
}

proc run_tool {tool} {
    global design work
    if {[catch {execute_module -tool $tool} message]} {
        give_up "quartus_$tool ended with '$message'" "read [file join $work output $design(name).$tool.rpt]"
    }
}

# The generated controller brings a script that gives its pins their standards; it reads the synthesized netlist.
proc assign_memory_pins {} {
    global here
    set scripts [glob -nocomplain -directory [file join $here system synthesis submodules] *_p0_pin_assignments.tcl]
    if {[llength $scripts] != 1} {
        give_up "[llength $scripts] scripts for the pins of the processor's memory" "does preset.txt describe the memory? See the messages of qsys-generate"
    }
    uplevel #0 [list source [lindex $scripts 0]]
    export_assignments
}

# ---- what was built, beside what was predicted ----

# The column `name` of the first row of a panel in which column `key` matches `pattern`; empty without such a row.
proc panel_value {panel key pattern name} {
    set id [get_report_panel_id $panel]
    if {$id == -1} {
        return ""
    }
    set at [get_report_panel_column_index -id $id $key]
    set column [get_report_panel_column_index -id $id $name]
    if {$at < 0 || $column < 0} {
        return ""
    }
    for {set row 1} {$row < [get_number_of_rows -id $id]} {incr row} {
        set cells [get_report_panel_row -id $id -row $row]
        if {[string match $pattern [string trim [lindex $cells $at]]]} {
            return [string trim [lindex $cells $column]]
        }
    }
    return ""
}

# A count of the core: "27964.5 (12.0)" with what is below it, or "43".
proc core_count {name} {
    global design
    set cell [panel_value "Fitter||Resource Section||Fitter Resource Utilization by Entity" "Full Hierarchy Name" "*|$design(name)_core:u_core" $name]
    if {![regexp {^[0-9.,]+} $cell count]} {
        give_up "the Fitter's report has no '$name' of the core" "did synthesis dissolve it, or does this version write other reports? Then change \"core_count\" in quartus.tcl"
    }
    return [string map {, {}} $count]
}

# Multipliers and memories are inferred, not instantiated: some of them may go elsewhere.
proc check_resources {} {
    global design accept
    set wrong [concat [compare_count DSP [core_count "DSP Blocks"] $design(dsp) 10] [compare_count M10K [core_count "M10Ks"] $design(bram10) 10] \
                   [compare_count ALM [core_count {ALMs needed [=A-B+C]}] $design(lut) 25]]
    judge_counts $wrong $accept "see [file join [pwd] output $design(name).fit.rpt]. Fewer M10K or DSP, more ALM: synthesis made them of logic."
}

# The period of the design's clock, in ns: the panel has had two names.
proc clock_period {} {
    foreach panel {"Timing Analyzer||Clocks" "TimeQuest Timing Analyzer||Clocks"} {
        set period [panel_value $panel "Clock Name" "*|pll_0|*divclk" Period]
        if {$period ne ""} {
            return $period
        }
    }
    give_up "the PLL's clock is not among those of the Timing Analyzer" "see [file join [pwd] output]"
}

# Least slack of all corners in NAME.sta.summary, whose lines are "Type  : <corner> Setup '<clock>'" and "Slack : <ns>".
proc worst_slack {kinds} {
    global design
    set f [open [file join output $design(name).sta.summary]]
    set text [read $f]
    close $f
    set worst ""
    foreach {all kind clock slack} [regexp -all -inline {Type +: [^\n]*(Setup|Hold|Recovery|Removal) '([^\n]*)'\nSlack +: (-?[0-9.]+)} $text] {
        if {$kind in $kinds && ($worst eq "" || $slack < $worst)} {
            set worst $slack
        }
    }
    if {$worst eq ""} {
        give_up "the Timing Analyzer found no path for [join $kinds { and }]" "see [file join [pwd] output $design(name).sta.rpt]"
    }
    return $worst
}

proc check_timing {} {
    global design
    set want [expr {1e9 / $design(clock_hz)}]
    set period [clock_period]
    if {abs($period - $want) > 0.01 * $want} {
        give_up "the PLL makes [format %.3f [expr {1000.0 / $period}]] MHz of the [expr {$design(clock_hz) / 1e6}] MHz that the design was made for" \
            "compile the model with --clock-mhz [expr {int(1000.0 / $period)}]"
    }
    set setup [worst_slack {Setup Recovery}]
    set hold [worst_slack {Hold Removal}]
    puts "slack        setup $setup ns, hold $hold ns"
    set report [file join [pwd] output $design(name).sta.rpt]
    if {$setup < 0} {
        give_up "the clock of [expr {$design(clock_hz) / 1e6}] MHz is missed by [expr {-$setup}] ns" \
            "see $report; compile the model with --clock-mhz [expr {int(1000 / ($want - $setup))}], or set another seed in quartus.tcl"
    }
    if {$hold < 0} {
        give_up "a hold time is missed by [expr {-$hold}] ns" "see $report; set another seed in quartus.tcl"
    }
}

start_project
run_tool map
assign_memory_pins
foreach tool {fit asm sta} {
    run_tool $tool
}
load_report
check_timing
check_resources
unload_report
project_close
file copy -force [file join output $design(name).sof] [file join $here $design(name).sof]
puts "written: $design(name).sof"
