# SPDX-License-Identifier: MIT
# leakproof: `make`, `make test`, `make accept`; `make help` lists the rest.
B       ?= build
ifeq ($(origin CC),default)
CC      := gcc
endif
DIRS    ?= $(patsubst harness/%/,%,$(wildcard harness/*/))
PKGS    := libcurl yaml-0.1 jansson libmnl libcap-ng libxml-2.0 openssl zlib
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
           -Wwrite-strings -Wcast-qual -Wundef -Wformat=2 -Wvla -Werror
OPT     ?= -O2 -g
SAN     ?=
# The judge's path crosses files for every packet: with gcc the program is linked as one piece (docs/bench.md). The
# objects hold ordinary code besides, which is what the unit tests link.
LTO     ?= $(if $(findstring gcc,$(CC)),-flto=auto -ffat-lto-objects)
pkg_cflags := $(shell pkg-config --cflags $(PKGS))
pkg_libs   := $(shell pkg-config --libs $(PKGS))
CFLAGS  += -std=c11 -D_GNU_SOURCE $(WARN) $(OPT) $(SAN) -pthread -Iharness $(filter-out -I%,$(pkg_cflags)) \
           $(patsubst -I%,-isystem %,$(filter -I%,$(pkg_cflags)))
LDLIBS  += $(pkg_libs) -lpcap -lnet -lresolv -pthread -lm
LDFLAGS += $(SAN)

lib_src  := $(foreach d,$(DIRS),$(wildcard harness/$(d)/*.c))
cmd_src  := $(wildcard harness/cmd_*.c)
lib_obj  := $(lib_src:%.c=$(B)/%.o)
cmd_obj  := $(cmd_src:%.c=$(B)/%.o)
unit_src := $(wildcard tests/unit/test_*.c)
unit_bin := $(unit_src:tests/unit/%.c=$(B)/unit/%)
tool_src := $(wildcard tests/tools/*.c)
tool_bin := $(tool_src:tests/tools/%.c=$(B)/tools/%)

all: $(B)/leakproof
lib: $(B)/libleakproof.a

$(B)/leakproof: $(B)/harness/main.o $(cmd_obj) $(B)/libleakproof.a
	$(CC) $(CFLAGS) $(LTO) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/libleakproof.a: $(lib_obj)
	@rm -f $@
	ar rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LTO) -MMD -MP -c -o $@ $<

# Taken in by .incbin, which leaves no trace in the .d file, and whose names link-time optimisation does not see.
$(B)/harness/report/html_data.o: harness/report/page.css harness/report/page.js
$(B)/harness/rule/policy_reference.o: $(wildcard docs/policies/*.yaml)
$(B)/harness/report/html_data.o $(B)/harness/rule/policy_reference.o: LTO =

$(B)/unit/%: tests/unit/%.c $(B)/libleakproof.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(if $(LTO),-fno-lto) -Itests -MMD -MP -o $@ $< $(B)/libleakproof.a $(LDFLAGS) $(LDLIBS) -lcmocka

$(B)/tools/%: tests/tools/%.c $(B)/libleakproof.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(if $(LTO),-fno-lto) -Itests -MMD -MP -o $@ $< $(B)/libleakproof.a $(LDFLAGS) $(LDLIBS)

unit-bins: $(unit_bin) $(tool_bin)

## accept: bring the reference stack up in the closed lab, break it, judge it, write reports
accept:
	sh ci/setup.sh run
	$(MAKE) -s -j$(shell nproc) all
	$(B)/leakproof run --scenarios scenarios

## test: every test, with the sanitizers, the linters and the lab
test:
	sh ci/setup.sh
	$(MAKE) -s -j$(shell nproc) all unit-bins
	$(MAKE) -s -j$(shell nproc) asan
	tests/run.sh

## unit: the unit tests only
unit: unit-bins
	tests/run.sh unit

## asan: unit tests and fuzz targets built with AddressSanitizer and UBSan (into build-asan)
asan:
	$(MAKE) -s B=build-asan LTO= OPT="-O1 -g -fno-omit-frame-pointer" \
		SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined" unit-bins fuzz-bins

# Fuzz targets: as ordinary programs that run files (regression), or with libFuzzer (tests/fuzz/run.sh).
fuzz_bin := $(patsubst tests/fuzz/fuzz_%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_MAIN ?= tests/fuzz/onefile.c
$(B)/fuzz/seeds: tests/fuzz/seeds.c $(B)/libleakproof.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(if $(LTO),-fno-lto) -Itests -o $@ $< $(B)/libleakproof.a $(LDFLAGS) $(LDLIBS)
$(B)/fuzz/%: tests/fuzz/fuzz_%.c $(B)/libleakproof.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(if $(LTO),-fno-lto) -Itests -MMD -MP -o $@ $< $(FUZZ_MAIN) $(B)/libleakproof.a $(LDFLAGS) $(LDLIBS)
fuzz-bins: $(fuzz_bin) $(B)/fuzz/seeds

## fuzz: libFuzzer on every target for SECONDS each (60), two at a time; T="dns bt" chooses
fuzz:
	tests/fuzz/run.sh fuzz $(or $(SECONDS),60) $(T)

bench_bin := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
$(B)/bench/%: tests/bench/%.c $(B)/libleakproof.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LTO) -o $@ $< $(B)/libleakproof.a $(LDFLAGS) $(LDLIBS)

## bench: speed and memory, side by side with peers (as root; docs/bench.md has the method and results)
bench: all $(bench_bin)
	tests/bench/run.sh $(B)

## mutants: change rules, decoder and readers in one place at a time; a test has to notice (half an hour)
mutants:
	tests/mutants.py

c_files  := $(wildcard harness/*.[ch] harness/*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch] tests/bench/*.c stack/standin/*.[ch])

## format: rewrite the C files in the project's style
format:
	clang-format -i $(c_files)

## format-check: fail where a C file is not in the project's style
format-check:
	sh ci/format-check.sh

## lint: cppcheck, clang-tidy and shellcheck
lint:
	sh ci/lint.sh

# One process a file: clang-tidy 14 carries state from file to file and then calls every va_list uninitialized. A file is
# looked at again when it, a header that it includes or the choice of checks changed.
tidy: $(patsubst %.c,$(B)/lint/%.ok,$(wildcard harness/*.c harness/*/*.c stack/standin/*.c tests/*/*.c))
$(B)/lint/%.ok: %.c .clang-tidy
	@mkdir -p $(@D)
	clang -MM -MP -MT $@ -MF $(@:.ok=.d) $(CFLAGS) -Itests $<
	clang-tidy --quiet $< -- $(CFLAGS) -Itests > $(@:.ok=.log) 2>&1 || { cat $(@:.ok=.log); false; }
	@touch $@

## clean: remove what the build made
clean:
	rm -rf build build-asan build-clang build-fuzz build-fuzz-judge

## help: this list
help:
	@sed -n 's/^## /  make /p' Makefile

.PHONY: all lib unit-bins accept test unit asan bench mutants fuzz fuzz-bins format format-check lint tidy clean help
-include $(shell find $(B) -name '*.d' 2>/dev/null)
