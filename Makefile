# SPDX-License-Identifier: Apache-2.0
# aihls: `make demo` runs the main job on real input, `make test` the tests; `make help` lists the rest.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

B := build
V ?= 0
Q := $(if $(filter 0,$(V)),@)
SAN ?= 0
PREFIX ?= /usr/local

# Debian 12 packages: what building and testing needs.
DEPS := gcc g++ make pkg-config verilator iverilog yosys z3 protobuf-c-compiler libprotobuf-c-dev protobuf-compiler \
        libonnx-dev libxml2-dev libjansson-dev libzip-dev nettle-dev libopenblas-dev libcmocka-dev libglpk-dev uthash-dev valgrind python3 tcl \
        device-tree-compiler libonnx-testdata cmake python3-numpy nextpnr-ice40 fpga-icestorm libjemalloc2

ifneq ($(SAN),0)
B := build/san
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif

CC := gcc
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wswitch-enum
ifeq ($(CI),true)
WARNINGS += -Werror
endif
PKGS := jansson libxml-2.0 libzip nettle libprotobuf-c
CPPFLAGS := -I. -I$(B)/gen -D_GNU_SOURCE $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
CFLAGS := -std=c11 -O2 -g -fopenmp $(SANFLAGS)
# The integer reference's loops vectorize at -O3; floats must not be reordered anywhere.
LDLIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lopenblas -lm

SOURCES := $(filter-out hls/aihls.c,$(wildcard base/*.c frontend/*.c dataflow/*.c hls/*.c sim/*.c drivers/aihls*.c))
OBJECTS := $(SOURCES:%.c=$(B)/%.o) $(B)/gen/onnx.pb-c.o $(B)/gen/embed.o
EMBED := $(sort $(wildcard boards/*.xsd boards/*/board.xml boards/*/preset.txt boards/*.tcl boards/*.mk boards/*.awk rtl_templates/*.v docs/diagnostics/*.md drivers/* sim/*.v sim/*.cpp sim/*.hpp))
TESTS := $(patsubst tests/%.c,$(B)/tests/%,$(sort $(wildcard tests/unit/test_*.c tests/flow/test_*.c)))
SUPPORT := $(patsubst %.c,$(B)/%.o,$(wildcard tests/support/*.c tests/flow/ops_*.c) $(filter-out tests/fuzz/entry.c,$(wildcard tests/fuzz/*.c)))

all: $(B)/aihls

$(B)/aihls: $(B)/hls/aihls.o $(B)/libaihls.a
	@echo "  LINK  $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(B)/libaihls.a: $(OBJECTS)
	@echo "  AR    $@"
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/%.o: %.c $(B)/gen/onnx.pb-c.h
	@echo "  CC    $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -MMD -MP -c -o $@ $<

$(B)/drivers/aihls_stages.o $(B)/sim/ref_float_conv.o: CFLAGS += -O3

$(B)/gen/onnx.pb-c.c: /usr/include/onnx/onnx.proto
	@echo "  GEN   $@"
	@mkdir -p $(@D)
	$(Q)protoc-c --c_out=$(@D) -I $(dir $<) $<
$(B)/gen/onnx.pb-c.h: $(B)/gen/onnx.pb-c.c
$(B)/gen/onnx.pb-c.o: $(B)/gen/onnx.pb-c.c
	$(Q)$(CC) -I$(B)/gen $(CFLAGS) -c -o $@ $<

# Rewritten when the list of files changes, so that a file that went is noticed too.
$(shell mkdir -p $(B)/gen && { echo '$(EMBED)' | cmp -s - $(B)/gen/embed.list || echo '$(EMBED)' >$(B)/gen/embed.list; })
$(B)/gen/embed.S: base/embed.sh $(EMBED) $(B)/gen/embed.list
	@echo "  EMBED $(words $(EMBED)) files"
	@mkdir -p $(@D)
	$(Q)sh base/embed.sh $(EMBED) > $@
$(B)/gen/embed.o: $(B)/gen/embed.S
	$(Q)$(CC) -c -o $@ $<

/usr/include/onnx/onnx.proto:
	@echo "missing package libonnx-dev: run 'make deps'" >&2; exit 1

## Installs the Debian packages that are missing.
deps:
	@sh .ci/deps $(DEPS)

## Compiles the digits network for ultra96 and simulates real digits through it.
demo: deps
	@$(MAKE) --no-print-directory -j2 all
	@sh tests/demo.sh $(B)/aihls

$(B)/tests/%: $(B)/tests/%.o $(SUPPORT) $(B)/libaihls.a
	@echo "  LINK  $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ -lcmocka -lglpk $(LDLIBS)

## Everything that CI checks.
test: deps
	@$(MAKE) --no-print-directory -j2 all $(TESTS)
	@sh tests/run.sh $(B) $(TESTS)

## The unit tests alone.
check-fast:
	@$(MAKE) --no-print-directory -j2 all $(filter $(B)/tests/unit/%,$(TESTS))
	@sh tests/run.sh $(B) $(filter $(B)/tests/unit/%,$(TESTS))

## FIFO depths of 10,000 random networks, 50 of them in Verilog, and the operator matrix with 2,000 random cases.
test-rtl: SOAK := 2000
test-rtl: networks
test-rtl soak: all $(B)/tests/flow/test_ops
	@mkdir -p $(B)/soak && seq 1 100 $(SOAK) | xargs -P 2 -n 1 sh tests/rtl/soak.sh $(B) 100

## The networks of test-rtl alone.
networks: all $(B)/tests/unit/test_fifos $(B)/tests/flow/test_nets
	@AIHLS_FIFO_GRAPHS=10000 $(B)/tests/unit/test_fifos
	@for seed in 1 26; do AIHLS_NETS_CASES=25 AIHLS_NETS_SEED=$$seed AIHLS_NETS_DIR=$(B)/nets25 $(B)/tests/flow/test_nets || exit 1; done

## The operator matrix with 20,000 cases.
soak: SOAK := 20000

## Runs the standard's test data (libonnx-testdata) through the float reference, and writes docs/conformance.md.
conformance: all $(B)/tests/flow/test_conformance
	@AIHLS_CONFORMANCE=docs/conformance.md $(B)/tests/flow/test_conformance >$(B)/conformance.log 2>&1 || { grep -v '^\[' $(B)/conformance.log; exit 1; }
	@grep '^|\|^In scope [0-9]' docs/conformance.md

## Writes docs/operators.md from the program's tables.
operators: all
	@$(B)/aihls ops | awk -f docs/operators.awk >docs/operators.md && grep '^In hardware' docs/operators.md

## Holds the float reference against PyTorch on networks of torchvision, and writes docs/pytorch.md.
pytorch: all
	@/usr/bin/python3 -c 'import torchvision' 2>/dev/null || { echo "pytorch: skipped, python3-torchvision is not installed"; exit 0; }; \
	    /usr/bin/python3 -W ignore tests/pytorch_networks.py $(B)/aihls $(B)/torchvision >$(B)/pytorch.md && cp $(B)/pytorch.md docs/pytorch.md

## Times the references beside ONNX Runtime (from PyPI, in a virtual environment) on torchvision's networks, and writes docs/speed.md.
speed: all
	@sh tests/speed.sh $(B)/aihls

## Measures the networks of the README's table, and writes docs/benchmarks.md.
bench: all
	@sh tests/bench.sh $(B)/aihls
	@sh tests/bench_boards.sh $(B)/aihls

## Quantizes float models beside ONNX Runtime (from PyPI, in a virtual environment), and writes the table in docs/quantization.md.
quantization: all
	@sh tests/quantization.sh $(B)/aihls

## Synthesizes digits and ResNet-8 with Yosys and compares resources with the prediction.
synth: all
	@sh tests/synth.sh $(B)/aihls

## Proves the templates (yosys-smtbmc, z3, yosys-abc); one of them: sh tests/formal/run.sh MODULE.
formal:
	@sh tests/formal/run.sh all

## Plants bugs in the templates; each must be caught by its proof.
mutation:
	@sh tests/formal/mutate.sh

## Fuzzes the readers of files, FUZZ_SECONDS (60) each; with clang-14, or FUZZ_ENGINE=afl.
fuzz:
	@mkdir -p build && sh tests/fuzz/run.sh

## Style and header checks; Verilog lint of every template.
lint: all
	@sh tests/lint.sh

## The same of digits for an ECP5 (ulx3s-85f).
synth-ecp5: all
	@BOARDS=ulx3s-85f sh tests/synth.sh $(B)/aihls digits

## Bitstreams with Yosys and nextpnr, and their table in docs/60-boards.md; ROWS= are some of tests/bitstreams.sh's.
bitstreams: all
	@sh tests/bitstreams.sh $(B)/aihls $(ROWS)

## What the AXI shell of digits adds to the core on boards with a processor: cells, and LUT levels.
synth-shell: all
	@sh tests/synth_shell.sh $(B)/aihls

## Installs the compiler with its manual, and the run-time library for programs that link it: PREFIX, DESTDIR.
install: all $(B)/runtime/libaihls.a
	install -D -m 755 $(B)/aihls $(DESTDIR)$(PREFIX)/bin/aihls
	$(B)/aihls --help | awk -f hls/man.awk >$(B)/aihls.1
	install -D -m 644 $(B)/aihls.1 $(DESTDIR)$(PREFIX)/share/man/man1/aihls.1
	install -D -m 644 hls/completion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/aihls
	install -D -m 644 $(B)/runtime/libaihls.a $(DESTDIR)$(PREFIX)/lib/libaihls.a
	install -d $(DESTDIR)$(PREFIX)/include/libaihls $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 drivers/aihls*.h drivers/aihls_simulation.hpp $(DESTDIR)$(PREFIX)/include/libaihls
	printf 'prefix=%s\nName: aihls\nDescription: run-time library of networks that aihls compiled\nVersion: %s\nCflags: -I$${prefix}/include\nLibs: -L$${prefix}/lib -laihls -lm\n' \
		'$(PREFIX)' "$$($(B)/aihls --version | awk '{ print $$2 }')" >$(DESTDIR)$(PREFIX)/lib/pkgconfig/aihls.pc

$(B)/runtime/libaihls.a: $(patsubst %.c,$(B)/%.o,$(wildcard drivers/aihls*.c))
	@echo "  AR    $@"
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^

clean:
	rm -rf build

help:
	@awk '/^## /{h=substr($$0,4)} /^[a-z-]+:/{if(h){split($$1,t,":");printf "  make %-12s %s\n",t[1],h};h=""}' Makefile

.PHONY: all deps demo test conformance pytorch operators speed check-fast test-rtl networks soak bench quantization synth synth-ecp5 synth-shell bitstreams formal mutation fuzz lint install clean help
.SECONDARY:
-include $(OBJECTS:.o=.d) $(SUPPORT:.o=.d) $(TESTS:=.d) $(B)/hls/aihls.d
