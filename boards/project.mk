# SPDX-License-Identifier: Apache-2.0
# make bitstream: NAME.bit, and beside a processor NAME.xsa, NAME.hwh; there make firmware: NAME.bit.bin and NAME.dtbo, for Linux to load;
# make program: the bitstream through JTAG. JOBS run side by side; ACCEPT=1: other resources than predicted are no error.
.DELETE_ON_ERROR:
VIVADO ?= vivado
BOOTGEN ?= bootgen
DTC ?= dtc
JOBS ?= 4
ACCEPT ?= 0
URL ?= localhost:3121
NAME := $(shell sed -n 's/^ *name //p' settings.tcl)
ARCH := $(if $(shell grep zynq_ultra_ps_e settings.tcl),zynqmp,zynq)
RTL := $(patsubst %,../%,$(shell cat ../rtl/$(NAME).f))

# $(call need,program,what to install)
need = @command -v $(1) >/dev/null || { echo "make: $(1) is not installed: $(2)" >&2; exit 4; }

bitstream: $(NAME).bit

$(NAME).bit: vivado.tcl common.tcl settings.tcl $(wildcard $(NAME)_ip.v $(NAME)_board.v $(NAME)_board.xdc preset.txt) $(RTL) $(wildcard ../mem/*)
	$(call need,$(VIVADO),install AMD Vivado with this part (the free edition has it); source its settings64.sh; or VIVADO=path)
	$(VIVADO) -mode batch -nojournal -log vivado.log -source vivado.tcl -tclargs $(JOBS) $(ACCEPT)
	@touch -c $@

ifneq ($(wildcard $(NAME).dtso),)
firmware: $(NAME).bit.bin $(NAME).dtbo

$(NAME).bit.bin: $(NAME).bit
	$(call need,$(BOOTGEN),it comes with Vivado and Vitis; or BOOTGEN=path)
	echo "all: { $(NAME).bit }" >$(NAME).bif
	$(BOOTGEN) -arch $(ARCH) -process_bitstream bin -image $(NAME).bif -w

$(NAME).dtbo: $(NAME).dtso
	$(call need,$(DTC),install the package device-tree-compiler; or DTC=path)
	$(DTC) -@ -I dts -O dtb -o $@ $<
else
firmware:
	@echo "make: this board has no processor: there is no firmware to load; make program" >&2; exit 2
endif

program: $(NAME).bit
	$(call need,$(VIVADO),install AMD Vivado or Vivado Lab; source its settings64.sh; or VIVADO=path)
	$(VIVADO) -mode batch -nojournal -log program.log -source program.tcl -tclargs $(URL)

clean:
	rm -rf vivado *.bit *.bit.bin *.bif *.dtbo *.xsa *.hwh *.rpt *.log

.PHONY: bitstream firmware program clean
