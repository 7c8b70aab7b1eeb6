# SPDX-License-Identifier: Apache-2.0
# make bitstream: NAME.sof for JTAG, NAME.rbf for Linux; make firmware: NAME.dtbo; make program: NAME.sof through JTAG. JOBS run
# side by side; ACCEPT=1: other resources than predicted are no error; FPGA: the part's place in the JTAG chain.
.DELETE_ON_ERROR:
QSYS_SCRIPT ?= qsys-script
QSYS_GENERATE ?= qsys-generate
QUARTUS_SH ?= quartus_sh
QUARTUS_CPF ?= quartus_cpf
QUARTUS_PGM ?= quartus_pgm
DTC ?= dtc
JOBS ?= 4
ACCEPT ?= 0
FPGA ?= 2
NAME := $(shell sed -n 's/^ *name //p' settings.tcl)
RTL := $(patsubst %,../%,$(shell cat ../rtl/$(NAME).f))
WHERE := install Intel Quartus Prime Lite or Standard with Cyclone V; its quartus/bin and quartus/sopc_builder/bin into PATH

# $(call need,program,what to install)
need = @command -v $(1) >/dev/null || { echo "make: $(1) is not installed: $(2)" >&2; exit 4; }

bitstream: $(NAME).sof $(NAME).rbf

system.qsys: system.tcl common.tcl settings.tcl $(NAME)_hw.tcl $(wildcard preset.txt)
	$(call need,$(QSYS_SCRIPT),$(WHERE))
	$(QSYS_SCRIPT) --script=system.tcl --search-path='.,$$'

system/synthesis/system.qip: system.qsys $(NAME)_ip.v $(RTL) $(wildcard ../mem/*)
	$(call need,$(QSYS_GENERATE),$(WHERE))
	rm -rf system
	$(QSYS_GENERATE) system.qsys --synthesis=VERILOG --search-path='.,$$'
	@touch -c $@

$(NAME).sof: quartus.tcl common.tcl system/synthesis/system.qip $(NAME)_board.v $(NAME)_board.sdc
	$(call need,$(QUARTUS_SH),$(WHERE))
	$(QUARTUS_SH) -t quartus.tcl $(JOBS) $(ACCEPT)
	@touch -c $@

# The board's switches say that the processor loads a compressed stream.
$(NAME).rbf: $(NAME).sof
	$(call need,$(QUARTUS_CPF),$(WHERE))
	$(QUARTUS_CPF) -c -o bitstream_compression=on $< $@

firmware: $(NAME).rbf $(NAME).dtbo

$(NAME).dtbo: $(NAME).dtso
	$(call need,$(DTC),install the package device-tree-compiler; or DTC=path)
	$(DTC) -@ -I dts -O dtb -o $@ $<

program: $(NAME).sof
	$(call need,$(QUARTUS_PGM),$(WHERE))
	$(QUARTUS_PGM) -m jtag -o "p;$<@$(FPGA)"

clean:
	rm -rf quartus system system.qsys system.sopcinfo *.sof *.rbf *.dtbo

.PHONY: bitstream firmware program clean
