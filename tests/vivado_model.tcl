# SPDX-License-Identifier: Apache-2.0
# vivado_model.tcl: runs a script of ours as Vivado would, as far as names go.
#     tclsh vivado_model.tcl RECORD SCRIPT [ARGUMENT...]
# Every command that the scripts use is here with the options and arguments that UG835 (2020.2 to 2023.2) gives it;
# another command, option, property, parameter, pin or cell is an error, and so is a file that does not exist. RECORD is
# a line for each command, and lines "= name value" of what was built. The environment says what happens:
#     MODEL_BOARDS  patterns of board files that are installed
#     MODEL_DSP, MODEL_BRAM, MODEL_LUT, MODEL_SETUP, MODEL_HOLD   what implementation gives
#     MODEL_FAIL    a run that fails
#     MODEL_CHAIN   devices on the JTAG chain

set record [open [lindex $argv 0] w]
proc note {line} {
    global record
    puts $record $line
    flush $record
}
proc wrong {text} {
    error "model: $text"
}
proc environment {name default} {
    return [expr {[info exists ::env($name)] ? $::env($name) : $default}]
}

# ---- commands: flags, options with a value, least and most arguments ----

array set syntax {
    create_project        {{force in_memory ip rtl_kernel} {part} 0 2}
    current_project       {{} {} 0 1}
    set_property          {{} {dict} 1 99}
    get_property          {{min max} {} 2 2}
    set_msg_config        {{suppress regexp} {id string severity limit new_severity} 0 0}
    get_board_parts       {{regexp nocase latest_file_version latest_hw_revision} {filter} 0 9}
    add_files             {{norecurse copy_to scan_for_includes} {fileset of_objects} 0 99}
    update_compile_order  {{force_gui} {fileset} 0 0}
    current_fileset       {{constrset simset srcset blockset} {} 0 1}
    get_files             {{regexp nocase references all} {filter compile_order used_in of_objects} 0 1}
    create_bd_design      {{} {dir cell} 1 1}
    create_bd_cell        {{} {vlnv type reference revision} 1 1}
    apply_bd_automation   {{} {rule config dict opts} 0 1}
    get_bd_cells          {{regexp hierarchical} {filter of_objects} 0 1}
    get_bd_pins           {{regexp hierarchical} {filter of_objects} 0 1}
    get_bd_intf_pins      {{regexp hierarchical} {filter of_objects} 0 1}
    connect_bd_net        {{} {net boundary_type} 1 99}
    connect_bd_intf_net   {{auto} {intf_net boundary_type} 2 2}
    get_bd_addr_spaces    {{regexp hierarchical} {filter of_objects} 0 1}
    get_bd_addr_segs      {{regexp hierarchical excluded addressed unaddressed addressables addressing} {filter of_objects} 0 1}
    assign_bd_address     {{boundary master_boundary external force} {target_address_space dict import_from_file export_to_file export_gui_to_file offset range base_high} 0 9}
    validate_bd_design    {{force include_pfm} {design} 0 0}
    save_bd_design        {{} {} 0 1}
    generate_target       {{force} {} 2 2}
    make_wrapper          {{top testbench inst_template import force} {fileset files} 0 1}
    launch_runs           {{scripts_only next_step email_all force} {jobs lsf sge cluster_configuration dir to_step host remote_cmd email_to pre_launch_script post_launch_script custom_script} 1 9}
    wait_on_runs          {{} {timeout exit_condition} 1 9}
    get_runs              {{regexp nocase} {filter of_objects} 0 1}
    open_run              {{} {name pr_config} 1 1}
    get_cells             {{hierarchical regexp nocase leaf include_replicated_objects} {hsc filter of_objects match_style} 0 1}
    report_utilization    {{append evaluate_pblock exclude_child_pblocks exclude_non_assigned return_string slr packthru no_primitives omit_locs hierarchical hierarchical_percentages} {file pblocks cells name spreadsheet_file spreadsheet_table spreadsheet_depth hierarchical_depth} 0 0}
    report_timing_summary {{check_timing_verbose no_detailed_paths setup hold unique_pins no_reused_label input_pins no_pr_attribute no_pblock routable_nets report_unconstrained no_header append return_string warn_on_violation datasheet} {delay_type max_paths nworst path_type inter_slr slack_lesser_than significant_digits file name cells rpx} 0 0}
    get_timing_paths      {{setup hold unique_pins no_report_unconstrained user_ignored routable_nets regexp nocase} {from to through delay_type max_paths nworst slack_lesser_than slack_greater_than group sort_by filter cell} 0 0}
    write_hw_platform     {{fixed force include_bit include_sim_content minimal hw hw_emu} {} 0 1}
    open_hw_manager       {{} {} 0 0}
    connect_hw_server     {{} {url cs_url} 0 0}
    open_hw_target        {{auto_calibrate} {jtag_mode xvc_url} 0 1}
    get_hw_devices        {{regexp nocase} {filter of_objects} 0 1}
    current_hw_device     {{} {} 0 1}
    program_hw_devices    {{force append_user_efuse skip_program_keys skip_program_rsa} {key clear user_efuse disable_eos_check} 0 9}
    refresh_hw_device     {{disable_done_check force_poll} {update_hw_probes} 0 1}
}

proc parse {command words} {
    lassign $::syntax($command) flags options least most
    set given {}
    set arguments {}
    for {set i 0} {$i < [llength $words]} {incr i} {
        set word [lindex $words $i]
        set name [string range $word 1 end]
        if {![string match {-[a-z]*} $word]} {
            lappend arguments $word
        } elseif {$name in {quiet verbose} || $name in $flags} {
            dict set given $name 1
        } elseif {$name in $options} {
            if {[incr i] >= [llength $words]} {
                wrong "$command: $word lacks its value"
            }
            dict set given $name [lindex $words $i]
        } else {
            wrong "$command has no option $word"
        }
    }
    if {[llength $arguments] < $least || [llength $arguments] > $most} {
        wrong "$command takes $least to $most arguments, not [llength $arguments]"
    }
    return [list $given $arguments]
}

foreach command [array names syntax] {
    proc $command {args} {
        set command [namespace tail [lindex [info level 0] 0]]
        lassign [parse $command $args] given arguments
        note "$command $args"
        return [do_$command $given $arguments]
    }
}

proc option {given name {default ""}} {
    if {[dict exists $given $name]} {
        return [dict get $given $name]
    }
    return $default
}
proc must_exist {path} {
    if {![file exists $path]} {
        wrong "there is no file $path"
    }
}
proc must_be_open {what} {
    if {![info exists ::$what] || [set ::$what] eq ""} {
        wrong "no $what"
    }
}

# ---- objects are text: "kind:name" ----

proc object {kind name} {
    return $kind:$name
}
proc kind_of {object} {
    return [lindex [split $object :] 0]
}
proc name_of {object} {
    return [join [lrange [split $object :] 1 end] :]
}
proc expect_kind {object kind} {
    if {[kind_of $object] ne $kind} {
        wrong "'$object' is no $kind"
    }
    return [name_of $object]
}

# ---- project ----

proc do_create_project {given arguments} {
    global project work part
    lassign $arguments project work
    set part [option $given part]
    if {$part eq ""} {
        wrong "create_project without a part"
    }
    if {[file exists $work] && ![dict exists $given force]} {
        wrong "$work exists"
    }
    file delete -force $work
    file mkdir $work
    note "= part $part"
    return [object project $project]
}
proc do_current_project {given arguments} {
    must_be_open project
    return [object project $::project]
}
proc do_set_msg_config {given arguments} {
    if {[option $given new_severity ERROR] ni {ERROR "CRITICAL WARNING" WARNING INFO STATUS}} {
        wrong "severity [option $given new_severity]"
    }
}
proc do_get_board_parts {given arguments} {
    set found {}
    foreach board [environment MODEL_BOARDS {}] {
        foreach pattern $arguments {
            if {[string match $pattern $board]} {
                lappend found $board
            }
        }
    }
    return $found
}
proc do_add_files {given arguments} {
    must_be_open project
    if {[option $given fileset sources_1] ni {sources_1 constrs_1 sim_1}} {
        wrong "there is no fileset [option $given fileset]"
    }
    foreach file [concat {*}$arguments] {
        must_exist $file
        if {[lsearch -exact $::sources $file] >= 0} {
            wrong "$file is added twice"
        }
        lappend ::sources $file
        note "= source $file"
    }
}
set sources {}
proc do_update_compile_order {given arguments} {
    must_be_open project
}
proc do_current_fileset {given arguments} {
    must_be_open project
    return [object fileset sources_1]
}
proc do_get_files {given arguments} {
    must_be_open project
    set name [lindex $arguments 0]
    if {[info exists ::diagram] && $name eq "$::diagram.bd"} {
        return [object file $name]
    }
    wrong "there is no file $name in the project"
}

# ---- properties ----

# The top: the block design's wrapper, or a module of the sources.
proc module_file {module} {
    foreach file $::sources {
        if {[file tail $file] eq "$module.v"} {
            return $file
        }
    }
    wrong "there is no module $module"
}

array set settable {
    project {board_part target_language}
    fileset {top}
    file    {synth_checkpoint_mode}
    run     {}
    hw_device {PROGRAM.FILE}
}
# Parameters of the processor systems that our scripts and presets set, as the vendor's own board scripts name them.
set parameters(zynq_ultra_ps_e) {
    PSU__PSS_REF_CLK__FREQMHZ PSU__FPGA_PL0_ENABLE PSU__CRL_APB__PL0_REF_CTRL__SRCSEL PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ
    PSU__USE__IRQ0 PSU__USE__M_AXI_GP0 PSU__USE__M_AXI_GP1 PSU__USE__M_AXI_GP2 PSU__MAXIGP0__DATA_WIDTH PSU__USE__S_AXI_GP2
    PSU__SAXIGP2__DATA_WIDTH
}
set parameters(processing_system7) {
    PCW_CRYSTAL_PERIPHERAL_FREQMHZ PCW_APU_PERIPHERAL_FREQMHZ PCW_PRESET_BANK0_VOLTAGE PCW_PRESET_BANK1_VOLTAGE
    PCW_FCLK0_PERIPHERAL_CLKSRC PCW_UIPARAM_DDR_PARTNO PCW_UIPARAM_DDR_FREQ_MHZ PCW_UIPARAM_DDR_BUS_WIDTH
    PCW_UIPARAM_DDR_BOARD_DELAY0 PCW_UIPARAM_DDR_BOARD_DELAY1 PCW_UIPARAM_DDR_BOARD_DELAY2 PCW_UIPARAM_DDR_BOARD_DELAY3
    PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_0 PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_1 PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_2
    PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_3 PCW_QSPI_PERIPHERAL_ENABLE PCW_QSPI_GRP_SINGLE_SS_ENABLE PCW_QSPI_GRP_FBCLK_ENABLE
    PCW_SD0_PERIPHERAL_ENABLE PCW_SD0_SD0_IO PCW_SD0_GRP_CD_ENABLE PCW_SD0_GRP_CD_IO PCW_SDIO_PERIPHERAL_FREQMHZ
    PCW_UART0_PERIPHERAL_ENABLE PCW_UART0_UART0_IO PCW_ENET0_PERIPHERAL_ENABLE PCW_ENET0_ENET0_IO PCW_ENET0_GRP_MDIO_ENABLE
    PCW_ENET0_GRP_MDIO_IO PCW_ENET0_RESET_ENABLE PCW_ENET0_RESET_IO PCW_USB0_PERIPHERAL_ENABLE PCW_USB0_USB0_IO
    PCW_USB0_RESET_ENABLE PCW_USB0_RESET_IO PCW_GPIO_MIO_GPIO_ENABLE PCW_EN_CLK0_PORT PCW_FPGA_FCLK0_ENABLE
    PCW_FPGA0_PERIPHERAL_FREQMHZ PCW_EN_RST0_PORT PCW_USE_FABRIC_INTERRUPT PCW_IRQ_F2P_INTR PCW_USE_M_AXI_GP0
    PCW_USE_S_AXI_HP0 PCW_S_AXI_HP0_DATA_WIDTH
}
set parameters(smartconnect) {NUM_SI NUM_MI NUM_CLKS HAS_ARESETN}
set parameters(proc_sys_reset) {C_EXT_RESET_HIGH C_AUX_RESET_HIGH C_NUM_PERP_ARESETN}

proc set_one {name value object} {
    set kind [kind_of $object]
    set of [name_of $object]
    if {$kind eq "bd_cell"} {
        if {![regexp {^CONFIG\.(.+)$} $name -> parameter] || $parameter ni $::parameters($::cells($of))} {
            wrong "$::cells($of) has no property $name"
        }
        set ::config($of,$parameter) $value
        note "= config $of $parameter $value"
        return
    }
    if {![info exists ::settable($kind)] || $name ni $::settable($kind)} {
        wrong "a $kind has no property $name to set"
    }
    if {$name eq "board_part" && $value ni [environment MODEL_BOARDS {}]} {
        wrong "board $value is not installed"
    }
    if {$name eq "synth_checkpoint_mode" && $value ni {None Singular Hierarchical}} {
        wrong "$name $value"
    }
    if {$name eq "top"} {
        if {![info exists ::diagram] || $value ne "system_wrapper"} {
            check_constraints [module_file $value] [lsearch -inline -all $::sources *.xdc]
        }
        set ::top $value
    }
    if {$name eq "PROGRAM.FILE"} {
        must_exist $value
    }
    note "= $name $value"
}
proc do_set_property {given arguments} {
    if {[dict exists $given dict]} {
        set pairs [dict get $given dict]
        set objects $arguments
    } else {
        set pairs [lrange $arguments 0 1]
        set objects [lrange $arguments 2 end]
    }
    if {[llength $pairs] % 2 || [llength $objects] != 1} {
        wrong "set_property takes pairs and an object"
    }
    foreach {name value} $pairs {
        set_one $name $value [lindex $objects 0]
    }
}

proc value_of {cell parameter default} {
    return [expr {[info exists ::config($cell,$parameter)] ? $::config($cell,$parameter) : $default}]
}
# What the processor's clock generator makes: a PLL by two dividers of 1 to 63, nearest from below (UG1085, UG585).
proc clock_hz {cell} {
    if {$::cells($cell) eq "zynq_ultra_ps_e"} {
        set pll [expr {[value_of $cell PSU__PSS_REF_CLK__FREQMHZ 33.333] * 45}]
        set want [value_of $cell PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ 100]
    } else {
        set memory [expr {2.0 * [value_of $cell PCW_UIPARAM_DDR_FREQ_MHZ 533.333]}]
        set plls [dict create "IO PLL" 1000.0 "ARM PLL" [expr {2.0 * [value_of $cell PCW_APU_PERIPHERAL_FREQMHZ 666.666]}] "DDR PLL" $memory]
        set pll [dict get $plls [value_of $cell PCW_FCLK0_PERIPHERAL_CLKSRC "IO PLL"]]
        set want [value_of $cell PCW_FPGA0_PERIPHERAL_FREQMHZ 50]
    }
    set best 0
    for {set a 1} {$a < 64} {incr a} {
        for {set b 1} {$b < 64} {incr b} {
            set mhz [expr {$pll / ($a * $b)}]
            if {$mhz <= $want * 1.0001 && $mhz > $best} {
                set best $mhz
            }
        }
    }
    return [expr {int($best * 1e6)}]
}
proc do_get_property {given arguments} {
    lassign $arguments name object
    set kind [kind_of $object]
    set of [name_of $object]
    switch -exact -- "$kind $name" {
        "bd_pin CONFIG.FREQ_HZ" {
            return [clock_hz [lindex [split $of /] 0]]
        }
        "bd_segment OFFSET" {
            return $::offset($of)
        }
        "run PROGRESS" {
            return [expr {[info exists ::ran($of)] && $::ran($of) ? "100%" : "50%"}]
        }
        "run STATUS" {
            return [expr {$::ran($of) ? "done" : "synth_design ERROR"}]
        }
        "run DIRECTORY" {
            return [file join $::work $::project.runs $of]
        }
        "path SLACK" {
            return $of
        }
    }
    wrong "a $kind has no property $name"
}

# ---- block design ----

# Pins and interfaces of a cell, by its kind; of a module, from its file.
proc zynq_pins {cell} {
    global pins interfaces
    if {$::cells($cell) eq "zynq_ultra_ps_e"} {
        set pins($cell) {pl_clk0 clock pl_resetn0 reset}
        set interfaces($cell) {}
        foreach {parameter name kind} {USE__M_AXI_GP0 M_AXI_HPM0_FPD master USE__M_AXI_GP1 M_AXI_HPM1_FPD master USE__S_AXI_GP2 S_AXI_HP0_FPD slave} {
            if {[value_of $cell PSU__$parameter [expr {$kind eq "master"}]]} {
                lappend interfaces($cell) $name $kind
                lappend pins($cell) [dict get {M_AXI_HPM0_FPD maxihpm0_fpd_aclk M_AXI_HPM1_FPD maxihpm1_fpd_aclk S_AXI_HP0_FPD saxihp0_fpd_aclk} $name] clock_in
            }
        }
        if {[value_of $cell PSU__USE__IRQ0 0]} {
            lappend pins($cell) pl_ps_irq0 interrupt_in
        }
    } else {
        set pins($cell) {}
        set interfaces($cell) {}
        if {[value_of $cell PCW_EN_CLK0_PORT 1] && [value_of $cell PCW_FPGA_FCLK0_ENABLE 1]} {
            lappend pins($cell) FCLK_CLK0 clock
        }
        if {[value_of $cell PCW_EN_RST0_PORT 1]} {
            lappend pins($cell) FCLK_RESET0_N reset
        }
        foreach {parameter name kind default} {PCW_USE_M_AXI_GP0 M_AXI_GP0 master 1 PCW_USE_S_AXI_HP0 S_AXI_HP0 slave 0} {
            if {[value_of $cell $parameter $default]} {
                lappend interfaces($cell) $name $kind
                lappend pins($cell) ${name}_ACLK clock_in
            }
        }
        if {[value_of $cell PCW_USE_FABRIC_INTERRUPT 0] && [value_of $cell PCW_IRQ_F2P_INTR 0]} {
            lappend pins($cell) IRQ_F2P interrupt_in
        }
    }
}
proc module_pins {cell module} {
    global pins interfaces
    set text ""
    foreach file $::sources {
        if {[file tail $file] eq "$module.v"} {
            set f [open $file]
            set text [read $f]
            close $f
        }
    }
    if {![regexp "\\nmodule $module \\(" $text]} {
        wrong "no source has a module $module"
    }
    set pins($cell) {}
    set interfaces($cell) {}
    foreach {- library type bus logical direction width name} [regexp -all -inline \
            {X_INTERFACE_INFO = "xilinx.com:(\w+):(\w+):1.0 (\w+) (\w+)" \*\)\n(?:[^\n]*X_INTERFACE_PARAMETER[^\n]*\n)?\s+(input|output) +wire (?:\[(\d+):0\] )?(\w+)} $text] {
        if {$library eq "signal"} {
            lappend pins($cell) $name [dict get {clock clock_in reset reset_in interrupt interrupt} $type]
        } else {
            set mode($bus) [expr {($logical eq "ARVALID") == ($direction eq "output") ? "master" : "slave"}]
            lappend logicals($bus) $logical
            if {$logical eq "ARVALID"} {
                lappend interfaces($cell) $bus $mode($bus)
            }
            if {$logical eq "RDATA"} {
                set ::width($cell/$bus) [expr {$width + 1}]
            }
        }
    }
    foreach bus [array names logicals] {
        foreach need {AWADDR AWVALID AWREADY WDATA WSTRB WVALID WREADY BRESP BVALID BREADY ARADDR ARVALID ARREADY RDATA RRESP RVALID RREADY} {
            if {$need ni $logicals($bus)} {
                wrong "bus $bus of $module lacks $need"
            }
        }
        if {![regexp "ASSOCIATED_BUSIF \[a-z_:\]*$bus" $text]} {
            wrong "bus $bus of $module has no clock"
        }
    }
}

proc do_create_bd_design {given arguments} {
    must_be_open project
    set ::diagram [lindex $arguments 0]
}
proc do_create_bd_cell {given arguments} {
    must_be_open diagram
    set cell [lindex $arguments 0]
    if {[info exists ::cells($cell)]} {
        wrong "cell $cell exists"
    }
    if {[option $given type ip] eq "module"} {
        set ::cells($cell) module
        module_pins $cell [option $given reference]
    } else {
        if {![regexp {^xilinx\.com:ip:(zynq_ultra_ps_e|processing_system7|proc_sys_reset|smartconnect)$} [option $given vlnv] -> kind]} {
            wrong "there is no IP [option $given vlnv]"
        }
        set ::cells($cell) $kind
        set ::pins($cell) [dict get {zynq_ultra_ps_e {} processing_system7 {} smartconnect {aclk clock_in aresetn reset_in}
            proc_sys_reset {slowest_sync_clk clock_in ext_reset_in reset_in peripheral_aresetn reset interconnect_aresetn reset}} $kind]
        set ::interfaces($cell) [dict get {zynq_ultra_ps_e {} processing_system7 {} smartconnect {S00_AXI slave M00_AXI master} proc_sys_reset {}} $kind]
    }
    if {$::cells($cell) in {zynq_ultra_ps_e processing_system7}} {
        set ::family [expr {[string match xc7* $::part] ? "processing_system7" : "zynq_ultra_ps_e"}]
        if {$::family ne $::cells($cell)} {
            wrong "$::part has no $::cells($cell)"
        }
    }
    return [object bd_cell $cell]
}
proc do_apply_bd_automation {given arguments} {
    set cell [expect_kind [lindex $arguments 0] bd_cell]
    if {[option $given rule] ne "xilinx.com:bd_rule:$::cells($cell)"} {
        wrong "no rule [option $given rule] for $::cells($cell)"
    }
    foreach {name value} [option $given config] {
        if {$name ni {apply_board_preset make_external Master Slave}} {
            wrong "the rule has no setting $name"
        }
        set ::automation($name) $value
    }
    if {$::automation(apply_board_preset) && [llength [environment MODEL_BOARDS {}]] == 0} {
        wrong "there is no board preset to apply"
    }
}
proc do_get_bd_cells {given arguments} {
    set cell [lindex $arguments 0]
    if {![info exists ::cells($cell)]} {
        wrong "there is no cell $cell"
    }
    return [object bd_cell $cell]
}
proc part_of_cell {path array what} {
    lassign [split $path /] cell name
    if {![info exists ::cells($cell)]} {
        wrong "there is no cell $cell"
    }
    if {$::cells($cell) in {zynq_ultra_ps_e processing_system7}} {
        zynq_pins $cell
    }
    upvar #0 $array list
    if {![dict exists $list($cell) $name]} {
        wrong "$cell ($::cells($cell)) has no $what $name"
    }
    return [dict get $list($cell) $name]
}
proc do_get_bd_pins {given arguments} {
    part_of_cell [lindex $arguments 0] pins pin
    return [object bd_pin [lindex $arguments 0]]
}
proc do_get_bd_intf_pins {given arguments} {
    part_of_cell [lindex $arguments 0] interfaces interface
    return [object bd_intf_pin [lindex $arguments 0]]
}
proc do_connect_bd_net {given arguments} {
    set driver ""
    foreach pin $arguments {
        set path [expect_kind $pin bd_pin]
        set kind [part_of_cell $path pins pin]
        if {$kind in {clock reset interrupt}} {
            if {$driver ne ""} {
                wrong "$driver and $path drive one net"
            }
            set driver $path
            set drives $kind
        }
    }
    if {$driver eq ""} {
        wrong "nothing drives $arguments"
    }
    foreach pin $arguments {
        set path [name_of $pin]
        if {$path eq $driver} {
            continue
        }
        if {[part_of_cell $path pins pin] ne "${drives}_in"} {
            wrong "$driver is a $drives, $path is none"
        }
        if {[info exists ::net($path)]} {
            wrong "$path is connected twice"
        }
        set ::net($path) $driver
    }
}
proc do_connect_bd_intf_net {given arguments} {
    foreach pin $arguments {
        set path [expect_kind $pin bd_intf_pin]
        set end([part_of_cell $path interfaces interface]) $path
        if {[info exists ::bus($path)]} {
            wrong "$path is connected twice"
        }
    }
    if {![info exists end(master)] || ![info exists end(slave)]} {
        wrong "a bus has a master and a slave: $arguments"
    }
    set ::bus($end(master)) $end(slave)
    set ::bus($end(slave)) $end(master)
}

# ---- addresses: the slave that a master reaches through smartconnects ----

proc reached {master} {
    while {[info exists ::bus($master)]} {
        set slave $::bus($master)
        set cell [lindex [split $slave /] 0]
        if {$::cells($cell) ne "smartconnect"} {
            return $slave
        }
        set master $cell/M00_AXI
    }
    return ""
}
proc do_get_bd_addr_spaces {given arguments} {
    set path [expect_kind [option $given of_objects] bd_intf_pin]
    if {[part_of_cell $path interfaces interface] ne "master"} {
        wrong "$path has no address space"
    }
    return [object bd_space $path]
}
proc do_get_bd_addr_segs {given arguments} {
    if {[dict exists $given of_objects]} {
        return [object bd_slave [expect_kind [option $given of_objects] bd_intf_pin]/reg0]
    }
    set path [lindex $arguments 0]
    set known {ps/SAXIGP2/HP0_DDR_LOW zynq_ultra_ps_e ps/S_AXI_HP0/HP0_DDR_LOWOCM processing_system7}
    if {[environment MODEL_HIGH 0]} {
        lappend known ps/SAXIGP2/HP0_DDR_HIGH zynq_ultra_ps_e
    }
    if {![dict exists $known $path] || [dict get $known $path] ne $::cells(ps)} {
        if {[dict exists $given quiet]} {
            return {}
        }
        wrong "there is no segment $path"
    }
    return [object bd_slave $path]
}
# Where the masters of the processors reach (UG1085, system address map; UG585, system addresses).
array set apertures {
    ps/M_AXI_HPM0_FPD {0xa0000000 0xafffffff}
    ps/M_AXI_GP0      {0x40000000 0x7fffffff}
}
proc do_assign_bd_address {given arguments} {
    set space [expect_kind [option $given target_address_space] bd_space]
    set slave [expect_kind [lindex $arguments 0] bd_slave]
    set to [reached $space]
    set target [expr {[string match ps/* $slave] ? [dict get {zynq_ultra_ps_e ps/S_AXI_HP0_FPD processing_system7 ps/S_AXI_HP0} $::cells(ps)] : [file dirname $slave]}]
    if {$to ne $target} {
        wrong "$space reaches '$to', not $target"
    }
    set offset [option $given offset 0]
    set range [option $given range 0x80000000]
    if {[info exists ::apertures($space)]} {
        lassign $::apertures($space) first last
        if {$offset < $first || $offset + $range - 1 > $last || $offset % $range} {
            wrong "$offset is not for $space"
        }
    }
    set ::offset($space>$slave) $offset
    note "= address $space $slave $offset $range"
    return [object bd_segment $space>$slave]
}
proc do_validate_bd_design {given arguments} {
    foreach cell [lsort [array names ::cells]] {
        foreach {pin kind} $::pins($cell) {
            if {[string match *_in $kind] && ![info exists ::net($cell/$pin)]} {
                wrong "$cell/$pin is not connected"
            }
            if {$kind eq "interrupt" && "$cell/$pin" ni [lmap path [array names ::net] {set ::net($path)}]} {
                wrong "$cell/$pin goes nowhere"
            }
        }
        foreach {name kind} $::interfaces($cell) {
            if {![info exists ::bus($cell/$name)]} {
                wrong "$cell/$name is not connected"
            }
        }
    }
    set slave [reached accelerator/m_axi]
    set given_bits [expr {$::cells(ps) eq "zynq_ultra_ps_e" ? [value_of ps PSU__SAXIGP2__DATA_WIDTH 128] : [value_of ps PCW_S_AXI_HP0_DATA_WIDTH 64]}]
    if {$given_bits != $::width(accelerator/m_axi)} {
        wrong "the accelerator's bus has $::width(accelerator/m_axi) bits, $slave $given_bits"
    }
    foreach need {accelerator/s_axil accelerator/m_axi} {
        if {[llength [array names ::offset *$need*]] == 0} {
            wrong "$need has no address"
        }
    }
    foreach path [lsort [array names ::net]] {
        note "= net $path $::net($path)"
    }
    note "= clock [clock_hz ps]"
    note "= width $given_bits"
    set ::valid 1
}
proc do_save_bd_design {given arguments} {
    must_be_open diagram
}
proc do_generate_target {given arguments} {
    must_be_open valid
    expect_kind [lindex $arguments 1] file
}
proc do_make_wrapper {given arguments} {
    expect_kind [option $given files [lindex $arguments 0]] file
    if {![dict exists $given top]} {
        wrong "make_wrapper without -top"
    }
}

# ---- runs, reports ----

proc do_get_runs {given arguments} {
    return [object run [lindex $arguments 0]]
}
proc do_launch_runs {given arguments} {
    foreach run $arguments {
        if {$run ni {synth_1 impl_1}} {
            wrong "there is no run $run"
        }
        must_be_open top
        if {$run eq "impl_1" && (![info exists ::ran(synth_1)] || !$::ran(synth_1))} {
            wrong "impl_1 before synth_1"
        }
        set directory [file join $::work $::project.runs $run]
        file mkdir $directory
        set ::ran($run) [expr {[environment MODEL_FAIL ""] ne $run}]
        if {[option $given to_step] ni {"" write_bitstream route_design}} {
            wrong "there is no step [option $given to_step]"
        }
        if {$::ran($run) && [option $given to_step] eq "write_bitstream"} {
            close [open [file join $directory $::top.bit] w]
        }
    }
}
proc do_wait_on_runs {given arguments} {
    foreach run $arguments {
        if {![info exists ::ran($run)]} {
            wrong "$run was not launched"
        }
    }
}
proc do_open_run {given arguments} {
    if {![info exists ::ran([lindex $arguments 0])]} {
        wrong "[lindex $arguments 0] did not run"
    }
    set ::netlist 1
}
proc do_get_cells {given arguments} {
    must_be_open netlist
    if {[option $given filter] ne {NAME =~ */u_core} || ![dict exists $given hierarchical]} {
        wrong "get_cells $given"
    }
    set above [expr {[info exists ::diagram] ? "system_i/accelerator/inst/u_axi" : "u_uart"}]
    return [expr {[environment MODEL_FLAT 0] ? {} : [object cell $above/u_core]}]
}
proc written {given} {
    must_be_open netlist
    if {[dict exists $given file]} {
        close [open [dict get $given file] w]
    }
}
proc row {name used} {
    return [format "| %-26s | %6s |     0 |          0 |     99999 | 10.00 |\n" $name $used]
}
proc do_report_utilization {given arguments} {
    global design
    written $given
    if {![dict exists $given return_string]} {
        return
    }
    expect_kind [option $given cells] cell
    set luts [expr {[string match xcz* $::part] || [string match xck* $::part] ? "CLB LUTs" : "Slice LUTs"}]
    return [string cat "| Site Type | Used | Fixed | Prohibited | Available | Util% |\n" [row $luts* [environment MODEL_LUT $design(lut)]] \
                [row {  LUT as Logic} 1] [row {Block RAM Tile} [expr {[environment MODEL_BRAM $design(bram18)] / 2.0}]] \
                [row {DSPs} [environment MODEL_DSP $design(dsp)]]]
}
proc do_report_timing_summary {given arguments} {
    written $given
}
proc do_get_timing_paths {given arguments} {
    must_be_open netlist
    return [object path [expr {[dict exists $given hold] ? [environment MODEL_HOLD 0.012] : [environment MODEL_SETUP 0.105]}]]
}
proc do_write_hw_platform {given arguments} {
    must_be_open netlist
    if {![string match *.xsa [lindex $arguments 0]]} {
        wrong "write_hw_platform writes .xsa"
    }
    close [open [lindex $arguments 0] w]
}

# ---- hardware ----

proc do_open_hw_manager {given arguments} {
    set ::manager 1
}
proc do_connect_hw_server {given arguments} {
    must_be_open manager
    set ::server 1
}
proc do_open_hw_target {given arguments} {
    must_be_open server
    set ::target 1
}
proc do_get_hw_devices {given arguments} {
    must_be_open target
    return [environment MODEL_CHAIN {xczu3_0 arm_dap_1}]
}
proc do_current_hw_device {given arguments} {
    return [lindex $arguments 0]
}
proc do_program_hw_devices {given arguments} {
    must_be_open target
    note "= programmed [lindex $arguments 0]"
}
proc do_refresh_hw_device {given arguments} {
    must_be_open target
}
foreach device [environment MODEL_CHAIN {xczu3_0 arm_dap_1}] {
    set devices($device) 1
}
rename kind_of kind_of_text
proc kind_of {object} {
    return [expr {[info exists ::devices($object)] ? "hw_device" : [kind_of_text $object]}]
}

source [file join [file dirname [info script]] vivado_xdc.tcl]
set script [lindex $argv 1]
set argv [lrange $argv 2 end]
source $script
note "= finished"
close $record
