# SPDX-License-Identifier: Apache-2.0
# quartus_model.tcl: runs scripts of ours as Quartus Prime would, as far as names go.
#     tclsh quartus_model.tcl RECORD qsys-script|qsys-generate|quartus_sh|quartus_cpf|quartus_pgm ARGUMENT...
# The arguments are the tool's own. Commands, options, properties, roles of ports and parameters are those of the Standard
# Edition's user guides (Platform Designer, Scripting) and of the vendor's own scripts for DE10-Nano; anything else is an error, and so is a file
# that does not exist. RECORD gets a line for each command, and lines "= name value" of what was built. The environment says what happens:
#     MODEL_DSP, MODEL_BRAM, MODEL_LUT, MODEL_SETUP, MODEL_HOLD, MODEL_PERIOD   what the tools report
#     MODEL_FAIL    a tool of quartus_sh that fails; MODEL_FLAT   the core is dissolved; MODEL_PANEL   name of the clocks' panel

proc note {line} {
    puts $::record $line
    flush $::record
}
proc wrong {text} {
    error "model: $text"
}
proc environment {name default} {
    return [expr {[info exists ::env($name)] ? $::env($name) : $default}]
}
proc read_text {path} {
    if {![file exists $path]} {
        wrong "there is no file $path"
    }
    set f [open $path]
    set text [read $f]
    close $f
    return $text
}
proc write_text {path text} {
    file mkdir [file dirname $path]
    set f [open $path w]
    puts -nonewline $f $text
    close $f
}

# An interpreter with only the commands of `names`, whose proc here is PREFIX_NAME, and Tcl's own but those younger than 8.4 (old).
proc tool_interpreter {prefix names old} {
    set i [interp create]
    foreach name $names {
        $i alias $name run_command ${prefix}_$name $name
    }
    if {$old} {
        foreach name {dict lassign lmap lrepeat lreverse try apply throw tailcall} {
            interp hide $i $name
        }
    }
    return $i
}
proc run_command {command name args} {
    note "$name $args"
    if {[catch {$command {*}$args} result]} {
        if {[string match {wrong # args*} $result]} {
            wrong "$name does not take '$args'"
        }
        error $result
    }
    return $result
}
proc run_script {i path old} {
    foreach file [concat [list $path] [glob -nocomplain [file join [file dirname $path] common.tcl]]] {
        if {$old && [regexp -line {^[^#\n]*\{\*\}} [read_text $file]]} {
            wrong "$file: Tcl 8.4 has no {*}"
        }
    }
    $i eval [list source $path]
}

# ---- _hw.tcl: what a component is ----

set hw_commands {package set_module_property get_module_property add_fileset set_fileset_property add_fileset_file add_interface set_interface_property
    add_interface_port send_message}
set module_properties {NAME VERSION DISPLAY_NAME GROUP EDITABLE DESCRIPTION AUTHOR INTERNAL}
array set interface_properties {
    clock     {clockRate}
    reset     {associatedClock synchronousEdges}
    axi4lite  {associatedClock associatedReset readAcceptanceCapability writeAcceptanceCapability}
    axi4      {associatedClock associatedReset readIssuingCapability writeIssuingCapability combinedIssuingCapability}
    interrupt {associatedAddressablePoint associatedClock associatedReset}
}
# Roles of ports: what a slave must have, in directions as seen by it (I, O); a master's are the other way round.
array set roles {
    axi4lite {awaddr I awprot I awvalid I awready O wdata I wstrb I wvalid I wready O bresp O bvalid O bready I araddr I arprot I arvalid I arready O
        rdata O rresp O rvalid O rready I}
    axi4 {awid I awaddr I awlen I awsize I awburst I awcache I awprot I awvalid I awready O wdata I wstrb I wlast I wvalid I wready O bid O bresp O bvalid O bready I
        arid I araddr I arlen I arsize I arburst I arcache I arprot I arvalid I arready O rid O rdata O rresp O rlast O rvalid O rready I}
    clock {clk I} reset {reset_n I} interrupt {irq O}
}

proc hw_package {args} {
    if {$args ne {require -exact qsys 16.1}} {
        wrong "package $args"
    }
}
proc hw_set_module_property {name value} {
    if {$name ni $::module_properties} {
        wrong "a module has no property $name"
    }
    set ::module($name) $value
}
proc hw_get_module_property {name} {
    if {$name ne "MODULE_DIRECTORY"} {
        wrong "get_module_property $name"
    }
    return [pwd]
}
proc hw_add_fileset {name kind {callback ""} {title ""}} {
    if {$kind ni {QUARTUS_SYNTH SIM_VERILOG SIM_VHDL}} {
        wrong "there is no kind of fileset $kind"
    }
    set ::fileset($name) $callback
}
proc hw_set_fileset_property {name property value} {
    if {![info exists ::fileset($name)] || $property ne "TOP_LEVEL"} {
        wrong "set_fileset_property $name $property"
    }
    set ::module(TOP) $value
}
proc hw_add_fileset_file {name type source value args} {
    if {$type ne "VERILOG" || $source ni {PATH TEXT} || [llength $args]} {
        wrong "add_fileset_file $name $type $source"
    }
    if {[info exists ::made($name)]} {
        wrong "$name is added twice"
    }
    if {$source eq "PATH"} {
        set ::made($name) [read_text $value]
        note "= source $value"
    } else {
        set ::made($name) $value
        foreach {- path} [regexp -all -inline {"([^"]*\.hex)"} $value] {
            if {[file pathtype $path] ne "absolute"} {
                wrong "$name reads $path, a relative name"
            }
            read_text $path
            note "= image $path"
        }
    }
}
proc hw_send_message {level text} {
    if {$level eq "error"} {
        error $text
    }
}
proc hw_add_interface {name type direction} {
    if {![info exists ::roles($type)] || $direction ni {start end source sink}} {
        wrong "there is no interface $type $direction"
    }
    set ::module(interfaces) [concat [expr {[info exists ::module(interfaces)] ? $::module(interfaces) : ""}] [list $name]]
    set ::kind($name) $type
    set ::side($name) [expr {$direction in {start source} ? "start" : "end"}]
    set ::ports_of($name) {}
}
proc hw_set_interface_property {name property value} {
    if {$property ni $::interface_properties($::kind($name))} {
        wrong "an interface $::kind($name) has no property $property"
    }
    set ::of($name,$property) $value
}
proc hw_add_interface_port {name port role direction width} {
    if {![dict exists $::roles($::kind($name)) $role]} {
        wrong "an interface $::kind($name) has no port $role"
    }
    set want [dict get $::roles($::kind($name)) $role]
    if {$::side($name) eq "start" && $::kind($name) ne "interrupt"} {
        set want [string map {I O O I} $want]
    }
    if {[string index $direction 0] ne $want || $direction ni {Input Output}} {
        wrong "$port is $direction"
    }
    dict set ::ports_of($name) $role [list $port $width]
    set ::declared($port) [list [string tolower $direction] $width]
}

# The component called `name`, of a _hw.tcl in this directory: its interfaces, and its files as its callback makes them.
proc load_component {name} {
    foreach path [glob -nocomplain *_hw.tcl] {
        array unset ::module
        set i [tool_interpreter hw $::hw_commands 1]
        run_script $i [file join [pwd] $path] 1
        if {$::module(NAME) eq $name} {
            foreach interface $::module(interfaces) {
                foreach role [dict keys $::roles($::kind($interface))] {
                    if {![dict exists $::ports_of($interface) $role]} {
                        wrong "interface $interface lacks $role"
                    }
                }
                if {$::kind($interface) ni {clock reset} && (![info exists ::of($interface,associatedClock)] || ![info exists ::of($interface,associatedReset)])} {
                    wrong "interface $interface has no clock or reset"
                }
            }
            $i eval [list $::fileset(synthesis) $::module(TOP)]
            check_top
            return
        }
    }
    wrong "there is no component $name"
}
# The Verilog's ports are those of the interfaces.
proc check_top {} {
    set text $::made($::module(TOP).v)
    if {![regexp "\nmodule $::module(TOP) \\((.*?)\n\\);" $text -> list]} {
        wrong "no file has module $::module(TOP)"
    }
    foreach {- direction high name} [regexp -all -inline {(input|output) +wire (?:\[(\d+):0\] )?(\w+)} $list] {
        set have [list $direction [expr {$high eq "" ? 1 : $high + 1}]]
        if {![info exists ::declared($name)] || $::declared($name) ne $have} {
            wrong "port $name is not that of the component"
        }
        unset ::declared($name)
    }
    if {[array size ::declared]} {
        wrong "the module has no ports [array names ::declared]"
    }
}

# ---- qsys-script: the system ----

set qsys_commands {package create_system set_project_property add_instance set_instance_parameter_value add_connection set_connection_parameter_value
    add_interface set_interface_property save_system}
set parameters(clock_source) {clockFrequency clockFrequencyKnown resetSynchronousEdges}
set parameters(altera_pll) {gui_reference_clock_frequency gui_operation_mode gui_number_of_clocks gui_output_clock_frequency0 gui_use_locked}
set parameters(altera_hps) {LWH2F_Enable S2F_Width F2S_Width F2SDRAM_Type F2SDRAM_Width F2SINTERRUPT_Enable
    HPS_PROTOCOL MEM_VENDOR MEM_FORMAT MEM_VOLTAGE MEM_CLK_FREQ MEM_CLK_FREQ_MAX MEM_ROW_ADDR_WIDTH MEM_COL_ADDR_WIDTH MEM_BANKADDR_WIDTH MEM_DQ_WIDTH
    MEM_DQ_PER_DQS MEM_IF_DM_PINS_EN MEM_IF_DQSN_EN MEM_DRV_STR MEM_RTT_NOM MEM_RTT_WR MEM_WTCL MEM_TCL MEM_TINIT_US MEM_TMRD_CK MEM_TRAS_NS MEM_TRCD_NS
    MEM_TRP_NS MEM_TREFI_US MEM_TRFC_NS MEM_TWR_NS MEM_TWTR MEM_TFAW_NS MEM_TRRD_NS MEM_TRTP_NS TIMING_TIS TIMING_TIH TIMING_TDS TIMING_TDH TIMING_TDQSQ
    TIMING_TQH TIMING_TDQSCK TIMING_TDQSS TIMING_TQSH TIMING_TDSH TIMING_TDSS}

proc qsys_package {args} {
    hw_package {*}$args
}
proc qsys_create_system {name} {
    set ::system $name
}
proc qsys_set_project_property {name value} {
    if {$name ni {DEVICE_FAMILY DEVICE}} {
        wrong "a project has no property $name"
    }
    note "= $name $value"
}
proc qsys_add_instance {name type {version ""}} {
    if {![info exists ::parameters($type)]} {
        load_component $type
    }
    set ::type($name) $type
}
proc qsys_set_instance_parameter_value {name parameter value} {
    if {![info exists ::type($name)] || $parameter ni $::parameters($::type($name))} {
        wrong "$name has no parameter $parameter"
    }
    set ::value($name,$parameter) $value
    note "= parameter $name $parameter $value"
}
proc parameter {name parameter default} {
    return [expr {[info exists ::value($name,$parameter)] ? $::value($name,$parameter) : $default}]
}
# Interfaces of an instance as its parameters are: name, kind, side.
proc interfaces {name} {
    if {$::type($name) eq "clock_source"} {
        return {clk_in clock end clk_in_reset reset end clk clock start clk_reset reset start}
    }
    if {$::type($name) eq "altera_pll"} {
        set list {refclk clock end reset reset end outclk0 clock start}
        return [expr {[parameter $name gui_use_locked true] ? [concat $list {locked conduit end}] : $list}]
    }
    if {$::type($name) ne "altera_hps"} {
        set list {}
        foreach interface $::module(interfaces) {
            lappend list $interface $::kind($interface) $::side($interface)
        }
        return $list
    }
    set list {h2f_reset reset start memory conduit end}
    foreach {on more} {
        {[parameter $name LWH2F_Enable true]}         {h2f_lw_axi_master axi start h2f_lw_axi_clock clock end}
        {[parameter $name S2F_Width 2] > 0}           {h2f_axi_master axi start h2f_axi_clock clock end}
        {[parameter $name F2S_Width 2] > 0}           {f2h_axi_slave axi end f2h_axi_clock clock end}
        {[parameter $name F2SDRAM_Type Avalon] ne ""} {f2h_sdram0_data avalon end f2h_sdram0_clock clock end}
        {[parameter $name F2SINTERRUPT_Enable 0]}     {f2h_irq0 interrupt start f2h_irq1 interrupt start}
    } {
        if $on {
            set list [concat $list $more]
        }
    }
    return $list
}
# Kind and side of "instance.interface".
proc interface_of {path} {
    lassign [split $path .] name interface
    if {![info exists ::type($name)]} {
        wrong "there is no instance $name"
    }
    foreach {one kind side} [interfaces $name] {
        if {$one eq $interface} {
            return [list $kind $side]
        }
    }
    wrong "$name ($::type($name)) has no interface $interface"
}
# The kinds that connect: AXI of all sorts with each other.
proc general {kind} {
    return [expr {$kind in {axi axi4 axi4lite avalon} ? "memory" : $kind}]
}
proc qsys_add_connection {from to} {
    lassign [interface_of $from] kind side
    lassign [interface_of $to] other end
    if {[general $kind] ne [general $other] || $side ne "start"} {
        wrong "$from ($kind $side) to $to ($other $end)"
    }
    # An interrupt's collector is the one that the connection begins at.
    if {$end ne "end"} {
        wrong "$to is no end"
    }
    if {[info exists ::connected($to)]} {
        wrong "$to is connected twice"
    }
    set ::connected($to) $from
    lappend ::starts($from) $to
    note "= connection $from $to"
}
proc qsys_set_connection_parameter_value {path name value} {
    lassign [split $path /] from to
    if {![info exists ::connected($to)] || $::connected($to) ne $from} {
        wrong "there is no connection $path"
    }
    if {$name ne [dict get {memory baseAddress interrupt irqNumber} [general [lindex [interface_of $to] 0]]]} {
        wrong "the connection $path has no parameter $name"
    }
    note "= $name $path $value"
    set ::set_on($to) $value
}
proc qsys_add_interface {name kind direction} {
    if {$direction ni {source sink end start}} {
        wrong "direction $direction"
    }
    set ::outer($name) [list $kind [expr {$direction in {source start} ? "start" : "end"}]]
}
proc qsys_set_interface_property {name property value} {
    if {$property ne "EXPORT_OF" || $::outer($name) ne [interface_of $value]} {
        wrong "interface $name ($::outer($name)) cannot be $property $value"
    }
    if {[info exists ::connected($value)] || [info exists ::starts($value)]} {
        wrong "$value is connected inside"
    }
    set ::exported($value) $name
    note "= export $name $value"
}
set memory_ports {mem_a mem_ba mem_ck mem_ck_n mem_cke mem_cs_n mem_ras_n mem_cas_n mem_we_n mem_reset_n mem_dq mem_dqs mem_dqs_n mem_odt mem_dm oct_rzqin}
proc qsys_save_system {path} {
    foreach name [lsort [array names ::type]] {
        foreach {interface kind side} [interfaces $name] {
            set at $name.$interface
            if {![info exists ::connected($at)] && ![info exists ::starts($at)] && ![info exists ::exported($at)] && $kind ne "interrupt"} {
                wrong "$at is neither connected nor exported"
            }
            if {$kind eq "interrupt" && $side eq "end" && ![info exists ::connected($at)]} {
                wrong "$at goes nowhere"
            }
            if {[info exists ::connected($at)] && [general $kind] in {memory interrupt} && ![info exists ::set_on($at)]} {
                wrong "$at has no address or number"
            }
        }
    }
    # One clock for the accelerator and both bridges.
    foreach at {hps_0.h2f_lw_axi_clock hps_0.f2h_axi_clock accelerator.clk} {
        if {$::connected($at) ne "pll_0.outclk0"} {
            wrong "$at has another clock"
        }
    }
    set width [dict get {1 32 2 64 3 128} [parameter hps_0 F2S_Width 2]]
    set own [lindex [dict get $::ports_of(m_axi) rdata] 1]
    if {$width != $own} {
        wrong "the accelerator's bus has $own bits, the bridge $width"
    }
    note "= width $width"
    set ports {}
    foreach at [array names ::exported] {
        set name $::exported($at)
        set roles [dict get {clk_in clk clk_in_reset reset_n reset reset h2f_reset reset_n locked export} {*}[expr {[string match *.memory $at] ? "clk_in" : [lindex [split $at .] 1]}]]
        foreach role [expr {[string match *.memory $at] ? $::memory_ports : $roles}] {
            lappend ports ${name}_$role
        }
    }
    write_text $path [list ports [lsort $ports] files [lsort [array names ::made]]]
    note "= saved $path"
}

# ---- qsys-generate ----

proc generate {path options} {
    if {[lsort $options] ne {{--search-path=.,$} --synthesis=VERILOG}} {
        wrong "qsys-generate $options"
    }
    array set saved [read_text $path]
    set to [file join [file rootname $path] synthesis]
    write_text [file join $to [file rootname $path].qip] $saved(files)
    write_text [file join $to ports] $saved(ports)
    write_text [file join $to submodules hps_sdram_p0_pin_assignments.tcl] "set_instance_assignment -name IO_STANDARD \"SSTL-15 CLASS I\" -to mem_a\n"
}

# ---- quartus_sh ----

set sh_commands {load_package project_new project_close set_global_assignment set_location_assignment set_instance_assignment set_parameter export_assignments execute_module
    load_report unload_report get_report_panel_id get_report_panel_column_index get_number_of_rows get_report_panel_row}
set assignments {FAMILY DEVICE TOP_LEVEL_ENTITY PROJECT_OUTPUT_DIRECTORY NUM_PARALLEL_PROCESSORS SEED QIP_FILE VERILOG_FILE SDC_FILE}

proc sh_load_package {name} {
    if {$name ni {flow report}} {
        wrong "there is no package $name"
    }
}
proc sh_project_new {name args} {
    if {$args ne [list -overwrite -revision $name]} {
        wrong "project_new $args"
    }
    set ::project $name
}
proc sh_project_close {} {
    unset ::project
}
proc named {words must} {
    foreach {option value} $words {
        if {$option ni $must} {
            wrong "there is no option $option"
        }
    }
    return $words
}
proc sh_set_global_assignment {args} {
    set name [dict get [named [lrange $args 0 1] -name] -name]
    set value [lindex $args 2]
    if {[llength $args] != 3 || $name ni $::assignments} {
        wrong "set_global_assignment $args"
    }
    if {[string match *_FILE $name]} {
        read_text $value
    }
    set ::assigned($name) $value
    note "= $name $value"
}
proc top_port {name} {
    if {![regexp "\n    (?:input|output|inout) +wire (?:\\\[\[^\n\]*\\\] )?$name\[,\n\]" [read_text $::assigned(VERILOG_FILE)]]} {
        wrong "the top has no port $name"
    }
}
proc sh_set_location_assignment {pin option port} {
    if {![regexp {^PIN_[A-Z]+[0-9]+$} $pin] || $option ne "-to"} {
        wrong "set_location_assignment $pin $option"
    }
    top_port $port
    note "= pin $port $pin"
}
proc sh_set_instance_assignment {args} {
    lassign $args - name value - port
    if {[lindex $args 0] ne "-name" || [lindex $args 3] ne "-to" || $name ne "IO_STANDARD"} {
        wrong "set_instance_assignment $args"
    }
    if {$value ni {"3.3-V LVTTL" "SSTL-15 CLASS I"}} {
        wrong "there is no IO_STANDARD $value"
    }
    top_port $port
}
proc sh_set_parameter {option name value} {
    if {$option ne "-name" || ![regexp "parameter $name +=" [read_text $::assigned(VERILOG_FILE)]]} {
        wrong "the top has no parameter $name"
    }
    note "= parameter $name $value"
}
proc sh_export_assignments {} {
    if {![info exists ::project]} {
        wrong "no project"
    }
    incr ::exports
}
# The top connects every port of the system, and nothing else.
proc check_board {} {
    set text [read_text $::assigned(VERILOG_FILE)]
    if {![regexp "\nmodule $::assigned(TOP_LEVEL_ENTITY) " $text] || ![regexp {system u_system \((.*?)\n    \);} $text -> list]} {
        wrong "$::assigned(VERILOG_FILE) has no module $::assigned(TOP_LEVEL_ENTITY) with a system"
    }
    set have {}
    foreach {- name} [regexp -all -inline {\.(\w+)\(} $list] {
        lappend have $name
    }
    set want [read_text [file join [file dirname $::assigned(QIP_FILE)] ports]]
    if {[lsort $have] ne $want} {
        wrong "the top connects [lsort $have], the system has $want"
    }
}
proc check_sdc {} {
    set sdc [interp create]
    set ::clocks {}
    foreach name {derive_pll_clocks derive_clock_uncertainty get_registers} {
        $sdc alias $name apply {{args} {}}
    }
    $sdc alias set_false_path apply {{args} {
        if {[llength $args] != 2 || [lindex $args 0] ni {-from -to -through}} {
            wrong "set_false_path $args"
        }
    }}
    $sdc alias get_ports apply {{name} {
        top_port $name
        return $name
    }}
    $sdc alias create_clock apply {{args} {
        dict set ::clocks [lindex $args 4] [dict get [named [lrange $args 0 3] {-name -period}] -period]
    }}
    $sdc eval [read_text $::assigned(SDC_FILE)]
    if {![dict exists $::clocks clk]} {
        wrong "the oscillator has no clock"
    }
    note "= clock clk [dict get $::clocks clk]"
}
proc sh_execute_module {option tool args} {
    if {$option ne "-tool" || $tool ni {map fit asm sta cdb} || [llength $args]} {
        wrong "execute_module $option $tool $args"
    }
    if {$::exports != ($tool eq "map" ? 1 : 2)} {
        wrong "$tool before its assignments"
    }
    if {$tool eq [environment MODEL_FAIL ""]} {
        error "ERROR: 1 error"
    }
    if {$tool eq "map"} {
        check_board
        check_sdc
    }
    set out [file join $::assigned(PROJECT_OUTPUT_DIRECTORY) $::project]
    if {$tool eq "asm"} {
        write_text $out.sof ""
    }
    if {$tool eq "sta"} {
        set text "------------\nTiming Analyzer Summary\n------------\n\n"
        foreach {kind slack} [list Setup [environment MODEL_SETUP 0.4] Hold [environment MODEL_HOLD 0.2] Recovery 5.0 Removal 0.5] {
            append text "Type  : Slow 1100mV 100C Model $kind 'u_system|pll_0|altera_pll_i|general\[0\].gpll~PLL_OUTPUT_COUNTER|divclk'\nSlack : $slack\nTNS   : 0.000\n\n" \
                "Type  : Fast 1100mV -40C Model $kind 'oscillator'\nSlack : 7.000\nTNS   : 0.000\n\n"
        }
        write_text $out.sta.summary $text
    }
    note "= ran $tool"
}
proc sh_load_report {} {
    global design
    set core [expr {[environment MODEL_FLAT 0] ? "x" : "$::project\_core:u_core"}]
    set ::panels(7) [list [list "Compilation Hierarchy Node" {ALMs needed [=A-B+C]} "M10Ks" "DSP Blocks" "Full Hierarchy Name" "Entity Name"] \
                         [list "|board" "9999.5 (9.0)" 99 99 "|board" board] \
                         [list "   |$core|" "[environment MODEL_LUT 1].0 (10.0)" [environment MODEL_BRAM 1] [environment MODEL_DSP 1] "|board|system:u_system|ip:accelerator|axi:u_axi|$core" core]]
    set ::panels(8) [list {"Clock Name" Type Period Frequency} {oscillator Base 20.000 "50.0 MHz"} \
                         [list {u_system|pll_0|altera_pll_i|general[0].gpll~PLL_OUTPUT_COUNTER|divclk} Generated [environment MODEL_PERIOD 10.000] "100.0 MHz"]]
}
proc sh_unload_report {} {
    array unset ::panels
}
proc sh_get_report_panel_id {name} {
    return [dict get [dict merge [dict create $name -1] [dict create "Fitter||Resource Section||Fitter Resource Utilization by Entity" 7 [environment MODEL_PANEL "Timing Analyzer||Clocks"] 8]] $name]
}
proc sh_get_report_panel_column_index {option id name} {
    return [lsearch -exact [lindex $::panels($id) 0] $name]
}
proc sh_get_number_of_rows {option id} {
    return [llength $::panels($id)]
}
proc sh_get_report_panel_row {option id row at} {
    if {$option ne "-id" || $row ne "-row"} {
        wrong "get_report_panel_row $option $row"
    }
    return [lindex $::panels($id) $at]
}

# ---- the tools ----

set arguments [lassign $argv record tool]
set record [open $record a]
set exports 0
switch -exact -- $tool {
    qsys-script {
        if {[lindex $arguments 1] ne {--search-path=.,$} || ![regexp {^--script=(.+)$} [lindex $arguments 0] -> script]} {
            wrong "qsys-script $arguments"
        }
        run_script [tool_interpreter qsys $qsys_commands 1] $script 1
    }
    qsys-generate {
        generate [lindex $arguments 0] [lrange $arguments 1 end]
    }
    quartus_sh {
        if {[lindex $arguments 0] ne "-t"} {
            wrong "quartus_sh $arguments"
        }
        set i [tool_interpreter sh $sh_commands 0]
        $i eval [list set quartus(args) [lrange $arguments 2 end]]
        run_script $i [file normalize [lindex $arguments 1]] 0
    }
    quartus_cpf {
        if {[lrange $arguments 0 2] ne {-c -o bitstream_compression=on}} {
            wrong "quartus_cpf $arguments"
        }
        read_text [lindex $arguments 3]
        write_text [lindex $arguments 4] ""
    }
    quartus_pgm {
        if {[lrange $arguments 0 2] ne {-m jtag -o} || ![regexp {^p;(.+)@(\d+)$} [lindex $arguments 3] -> file at]} {
            wrong "quartus_pgm $arguments"
        }
        read_text $file
        note "= programmed $file $at"
    }
    default {
        wrong "there is no tool $tool"
    }
}
note "= finished $tool"
