# SPDX-License-Identifier: Apache-2.0
# vivado.tcl: from an empty folder to a bitstream, for parts of AMD's. Beside a processor: with a block design and a hardware
# description. Without: NAME_board.v and its constraints, a serial line.
#     vivado -mode batch -source vivado.tcl -tclargs [JOBS] [ACCEPT]
# JOBS run side by side (default 4). ACCEPT 1: other resources than predicted are a warning. Slack below zero never is.
# Data is in settings.tcl (this design) and preset.txt (this board); docs/85-projects.md of aihls says what is assumed.

set here [file dirname [file normalize [info script]]]
set root [file dirname $here]
source [file join $here settings.tcl]
source [file join $here common.tcl]
set jobs [expr {[llength $argv] > 0 ? [lindex $argv 0] : 4}]
set accept [expr {[llength $argv] > 1 ? [lindex $argv 1] : 0}]
set work [file join $here vivado]

# ---- the project and its sources ----

# Memory images are named relative to the output directory, where synthesis does not run: the core is copied with
# whole paths. A missing image would be a memory of zeros, so each of them must be found.
proc stage_core {from to root images} {
    set f [open $from]
    set text [read $f]
    close $f
    foreach image $images {
        set path [file join $root $image]
        if {![file exists $path]} {
            give_up "memory image $image is missing" "compile the model again"
        }
        if {[string first "\"$image\"" $text] < 0} {
            give_up "no memory reads $image" "compile the model again"
        }
        set text [string map [list "\"$image\"" "\"$path\""] $text]
    }
    set f [open $to w]
    puts -nonewline $f $text
    close $f
}

# The board's presets, for the processor system.
proc choose_board {} {
    global design
    set boards [get_board_parts -quiet -latest_file_version "*:$design(board_files):part0:*"]
    set design(has_board_files) [expr {$design(board_files) ne "" && [llength $boards] > 0}]
    if {$design(has_board_files)} {
        set_property board_part [lindex $boards end] [current_project]
    } else {
        puts "NOTE: no board files for '$design(board_files)': the processor system has the settings of preset.txt and the tool's defaults."
        puts "NOTE: the bitstream is whole; do not build a boot loader from the .xsa unless preset.txt describes memory and pins."
    }
}

proc start_project {} {
    global design here root work
    create_project -force -part $design(part) $design(name) $work
    if {$design(processor) ne ""} {
        choose_board
    }
    set_property target_language Verilog [current_project]
    # A memory image that cannot be read is a critical warning, and zeros; here it stops the run.
    set_msg_config -id {Synth 8-4445} -new_severity ERROR

    set staged [file join $work staged]
    file mkdir $staged
    set core rtl/$design(name)_core.v
    set files {}
    foreach file $design(rtl) {
        if {$file eq $core} {
            lappend files [file join $staged $design(name)_core.v]
        } else {
            lappend files [file join $root $file]
        }
    }
    stage_core [file join $root $core] [file join $staged $design(name)_core.v] $root $design(images)
    foreach image $design(images) {
        lappend files [file join $root $image]
    }
    lappend files [file join $here $design(name)_[expr {$design(processor) eq "" ? "board" : "ip"}].v]
    add_files -norecurse -fileset sources_1 $files
    update_compile_order -fileset sources_1
}

# Without a processor: the top is ours.
proc build_board {} {
    global design here
    add_files -norecurse -fileset constrs_1 [list [file join $here $design(name)_board.xdc]]
    set_property top $design(name)_board [current_fileset]
    update_compile_order -fileset sources_1
}

# ---- the block design ----

# What the two processor systems call the same things: UG1085 and PG201, UG585 and PG082.
proc describe_processor {} {
    global design
    set mhz [expr {$design(clock_hz) / 1e6}]
    if {$design(processor) eq "zynq_ultra_ps_e"} {
        return [dict create clock pl_clk0 reset pl_resetn0 irq pl_ps_irq0 master M_AXI_HPM0_FPD slave S_AXI_HP0_FPD \
                    clocks {maxihpm0_fpd_aclk saxihp0_fpd_aclk} memory SAXIGP2/HP0_DDR_LOW more SAXIGP2/HP0_DDR_HIGH external {} \
                    properties [list CONFIG.PSU__FPGA_PL0_ENABLE 1 CONFIG.PSU__CRL_APB__PL0_REF_CTRL__SRCSEL IOPLL \
                                    CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ $mhz CONFIG.PSU__USE__IRQ0 1 \
                                    CONFIG.PSU__USE__M_AXI_GP0 1 CONFIG.PSU__USE__M_AXI_GP1 0 CONFIG.PSU__USE__M_AXI_GP2 0 \
                                    CONFIG.PSU__MAXIGP0__DATA_WIDTH 128 CONFIG.PSU__USE__S_AXI_GP2 1 \
                                    CONFIG.PSU__SAXIGP2__DATA_WIDTH $design(data_bits)]]
    }
    return [dict create clock FCLK_CLK0 reset FCLK_RESET0_N irq IRQ_F2P master M_AXI_GP0 slave S_AXI_HP0 \
                clocks {M_AXI_GP0_ACLK S_AXI_HP0_ACLK} memory S_AXI_HP0/HP0_DDR_LOWOCM more {} external {FIXED_IO, DDR} \
                properties [list CONFIG.PCW_EN_CLK0_PORT 1 CONFIG.PCW_FPGA_FCLK0_ENABLE 1 CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ $mhz \
                                CONFIG.PCW_EN_RST0_PORT 1 CONFIG.PCW_USE_FABRIC_INTERRUPT 1 CONFIG.PCW_IRQ_F2P_INTR 1 \
                                CONFIG.PCW_USE_M_AXI_GP0 1 CONFIG.PCW_USE_S_AXI_HP0 1 CONFIG.PCW_S_AXI_HP0_DATA_WIDTH $design(data_bits)]]
}

# The board's own settings first, so that what the accelerator needs has the last word.
proc add_processor {ps} {
    global design here
    create_bd_cell -type ip -vlnv xilinx.com:ip:$design(processor) ps
    set config [list apply_board_preset $design(has_board_files)]
    if {[dict get $ps external] ne ""} {
        lappend config make_external [dict get $ps external]
    }
    apply_bd_automation -rule xilinx.com:bd_rule:$design(processor) -config $config [get_bd_cells ps]
    set properties {}
    foreach {name value} [read_preset [file join $here preset.txt]] {
        if {!$design(has_board_files) || [string match *CLKSRC $name]} {
            lappend properties CONFIG.$name $value
        }
    }
    set_property -dict [concat $properties [dict get $ps properties]] [get_bd_cells ps]
    set hz [get_property CONFIG.FREQ_HZ [get_bd_pins ps/[dict get $ps clock]]]
    if {abs($hz - $design(clock_hz)) > 0.01 * $design(clock_hz)} {
        give_up "the processor system makes [expr {$hz / 1e6}] MHz of the [expr {$design(clock_hz) / 1e6}] MHz that the design was made for" \
            "compile the model with --clock-mhz [expr {int($hz / 1e6)}], or choose another PLL in preset.txt"
    }
}

proc connect_pins {from args} {
    set pins [list [get_bd_pins $from]]
    foreach pin $args {
        lappend pins [get_bd_pins $pin]
    }
    connect_bd_net {*}$pins
}

proc connect_bus {from to} {
    connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to]
}

proc build_system {} {
    global design
    create_bd_design system
    set ps [describe_processor]
    add_processor $ps
    create_bd_cell -type module -reference $design(name)_ip accelerator
    create_bd_cell -type ip -vlnv xilinx.com:ip:proc_sys_reset reset
    foreach cell {control memory} {
        create_bd_cell -type ip -vlnv xilinx.com:ip:smartconnect $cell
        set_property -dict {CONFIG.NUM_SI 1 CONFIG.NUM_MI 1} [get_bd_cells $cell]
    }
    set clocked {reset/slowest_sync_clk control/aclk memory/aclk accelerator/clk}
    foreach pin [dict get $ps clocks] {
        lappend clocked ps/$pin
    }
    connect_pins ps/[dict get $ps clock] {*}$clocked
    connect_pins ps/[dict get $ps reset] reset/ext_reset_in
    connect_pins reset/peripheral_aresetn control/aresetn memory/aresetn accelerator/aresetn
    connect_pins accelerator/irq ps/[dict get $ps irq]
    connect_bus ps/[dict get $ps master] control/S00_AXI
    connect_bus control/M00_AXI accelerator/s_axil
    connect_bus accelerator/m_axi memory/S00_AXI
    connect_bus memory/M00_AXI ps/[dict get $ps slave]
    assign_addresses $ps
    validate_bd_design
    save_bd_design
    set diagram [get_files system.bd]
    # One run for all of it: the accelerator is optimized together with what it is connected to.
    set_property synth_checkpoint_mode None $diagram
    generate_target all $diagram
    make_wrapper -top -import -files $diagram
    set_property top system_wrapper [current_fileset]
    update_compile_order -fileset sources_1
}

proc assign_addresses {ps} {
    global design
    set registers [get_bd_addr_segs -of_objects [get_bd_intf_pins accelerator/s_axil]]
    set space [get_bd_addr_spaces -of_objects [get_bd_intf_pins ps/[dict get $ps master]]]
    set segment [assign_bd_address -offset $design(base) -range $design(range) -target_address_space $space $registers]
    if {[get_property OFFSET $segment] != $design(base)} {
        give_up "the registers are at [get_property OFFSET $segment], not at $design(base)" "see axi_base of the board's file"
    }
    set space [get_bd_addr_spaces -of_objects [get_bd_intf_pins accelerator/m_axi]]
    assign_bd_address -target_address_space $space [get_bd_addr_segs ps/[dict get $ps memory]]
    # Memory above 2 GB: there is a segment where the processor system is set up for so much.
    if {[dict get $ps more] ne ""} {
        set high [get_bd_addr_segs -quiet ps/[dict get $ps more]]
        if {[llength $high] > 0} {
            assign_bd_address -target_address_space $space $high
        }
    }
}

# ---- synthesis, implementation ----

proc finish_run {run args} {
    launch_runs {*}$args $run
    wait_on_runs $run
    if {[get_property PROGRESS [get_runs $run]] ne "100%"} {
        give_up "$run ended with '[get_property STATUS [get_runs $run]]'" "read [file join [get_property DIRECTORY [get_runs $run]] runme.log]"
    }
}

proc implement {} {
    global jobs
    finish_run synth_1 -jobs $jobs
    finish_run impl_1 -to_step write_bitstream -jobs $jobs
    open_run impl_1
}

# ---- what was built, beside what was predicted ----

# Number in the row `name` of a report of report_utilization.
proc cells_used {report name} {
    if {![regexp "\\|\\s*${name}\\*?\\s*\\|\\s*(\[0-9.\]+)\\s*\\|" $report -> count]} {
        give_up "report_utilization has no row '$name'" "this version of Vivado writes other reports: change \"cells_used\" in vivado.tcl"
    }
    return $count
}

proc check_resources {} {
    global design here accept
    set core [get_cells -hierarchical -filter {NAME =~ */u_core}]
    if {[llength $core] != 1} {
        give_up "the core is not to be found in the netlist" "set STEPS.SYNTH_DESIGN.ARGS.FLATTEN_HIERARCHY of synth_1 to none"
    }
    set report [report_utilization -return_string -cells $core]
    set luts [expr {[string match xc7* $design(part)] ? "Slice LUTs" : "CLB LUTs"}]
    set wrong [concat [compare_count DSP [cells_used $report DSPs] $design(dsp) 0] \
                   [compare_count "BRAM (18 Kb)" [expr {2 * [cells_used $report {Block RAM Tile}]}] $design(bram18) 0] \
                   [compare_count LUT [cells_used $report $luts] $design(lut) 20]]
    judge_counts $wrong $accept "see [file join $here utilization.rpt]. DSP: is TECH $design(tech) in the top? BRAM: did synthesis make memories\
        of LUTs, or find images empty?"
}

proc worst_slack {kind} {
    set paths [get_timing_paths -$kind -max_paths 1 -nworst 1]
    if {[llength $paths] == 0} {
        give_up "there is no path with a $kind constraint: the clock is missing" "see [get_property DIRECTORY [get_runs impl_1]]"
    }
    return [get_property SLACK [lindex $paths 0]]
}

proc check_timing_met {} {
    global design here
    set setup [worst_slack setup]
    set hold [worst_slack hold]
    puts "slack        setup $setup ns, hold $hold ns"
    if {$setup < 0} {
        set mhz [expr {int(1000 / (1e9 / $design(clock_hz) - $setup))}]
        give_up "the clock of [expr {$design(clock_hz) / 1e6}] MHz is missed by [expr {-$setup}] ns" \
            "see [file join $here timing.rpt]; compile the model with --clock-mhz $mhz, or try other strategies for impl_1"
    }
    if {$hold < 0} {
        give_up "a hold time is missed by [expr {-$hold}] ns" "see [file join $here timing.rpt]; try another strategy for impl_1"
    }
}

proc export_results {} {
    global design here work
    set bit [glob -directory [get_property DIRECTORY [get_runs impl_1]] *.bit]
    file copy -force [lindex $bit 0] [file join $here $design(name).bit]
    if {$design(processor) eq ""} {
        puts "written: $design(name).bit"
        return
    }
    write_hw_platform -fixed -force -include_bit [file join $here $design(name).xsa]
    # Where the block design's files are: .gen since 2020.2, .srcs before.
    foreach hwh [glob -nocomplain -directory $work */sources_1/bd/system/hw_handoff/system.hwh] {
        file copy -force $hwh [file join $here $design(name).hwh]
    }
    puts "written: $design(name).bit, $design(name).xsa"
}

start_project
if {$design(processor) eq ""} {
    build_board
} else {
    build_system
}
implement
report_utilization -hierarchical -file [file join $here utilization.rpt]
report_timing_summary -file [file join $here timing.rpt]
check_timing_met
check_resources
export_results
