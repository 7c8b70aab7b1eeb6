# SPDX-License-Identifier: Apache-2.0
# system.tcl: the processor of a Cyclone V SoC, a PLL and the accelerator, as system.qsys.
#     qsys-script --script=system.tcl --search-path=.,$
# in the directory of settings.tcl, preset.txt and NAME_hw.tcl. Platform Designer's Tcl may be as old as 8.4: no dict, no {*}.
package require -exact qsys 16.1
source settings.tcl
source common.tcl

# Cyclone V HPS Technical Reference Manual: the lightweight bridge, and the first of the fabric's 64 interrupts.
set bridge_base 0xff200000
set bridge_bytes 0x200000
set first_irq 40

proc set_parameters {instance pairs} {
    foreach {name value} $pairs {
        set_instance_parameter_value $instance $name $value
    }
}

# What the accelerator needs has the last word.
proc add_processor {} {
    global design
    set widths {32 1 64 2 128 3}
    array set code $widths
    if {![info exists code($design(data_bits))]} {
        give_up "the bridge to memory has no $design(data_bits) bits" "axi_data_bits of the board's file is 64 or 128"
    }
    add_instance hps_0 altera_hps
    set_parameters hps_0 [read_preset preset.txt]
    set_parameters hps_0 [list LWH2F_Enable true S2F_Width 0 F2S_Width $code($design(data_bits)) F2SDRAM_Type {} F2SDRAM_Width {} F2SINTERRUPT_Enable 1]
}

proc add_clock {} {
    global design
    add_instance clk_0 clock_source
    set_parameters clk_0 [list clockFrequency $design(oscillator_hz).0 clockFrequencyKnown true resetSynchronousEdges DEASSERT]
    add_instance pll_0 altera_pll
    set_parameters pll_0 [list gui_reference_clock_frequency [expr {$design(oscillator_hz) / 1e6}] gui_operation_mode direct gui_number_of_clocks 1 \
                            gui_output_clock_frequency0 [expr {$design(clock_hz) / 1e6}] gui_use_locked true]
    add_connection clk_0.clk pll_0.refclk
    foreach sink {hps_0.h2f_lw_axi_clock hps_0.f2h_axi_clock accelerator.clk} {
        add_connection pll_0.outclk0 $sink
    }
    add_connection clk_0.clk_reset accelerator.reset
}

proc connect {from to parameter value} {
    add_connection $from $to
    set_connection_parameter_value $from/$to $parameter $value
}

proc connect_accelerator {} {
    global design bridge_base bridge_bytes first_irq
    set offset [expr {$design(base) - $bridge_base}]
    if {$offset < 0 || $offset + $design(range) > $bridge_bytes} {
        give_up "the registers at $design(base) are not behind the lightweight bridge ($bridge_base)" "see axi_base of the board's file"
    }
    connect hps_0.h2f_lw_axi_master accelerator.s_axil baseAddress [format 0x%08x $offset]
    connect accelerator.m_axi hps_0.f2h_axi_slave baseAddress 0x00000000
    set line [expr {$design(irq_spi) - $first_irq}]
    if {$line < 0 || $line > 63} {
        give_up "the fabric has no interrupt $design(irq_spi)" "irq_spi of the board's file is from $first_irq to [expr {$first_irq + 63}]"
    }
    connect hps_0.f2h_irq[expr {$line / 32}] accelerator.irq irqNumber [expr {$line % 32}]
}

# What NAME_board.v connects.
proc export {name type direction of} {
    add_interface $name $type $direction
    set_interface_property $name EXPORT_OF $of
}

create_system system
set_project_property DEVICE_FAMILY $design(family)
set_project_property DEVICE $design(part)
add_processor
add_instance accelerator $design(name)_ip
add_clock
connect_accelerator
export clk clock sink clk_0.clk_in
export reset reset sink clk_0.clk_in_reset
export pll_reset reset sink pll_0.reset
export pll_locked conduit end pll_0.locked
export hps_reset reset source hps_0.h2f_reset
export memory conduit end hps_0.memory
save_system system.qsys
