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
CFLAGS  += -std=c11 -D_GNU_SOURCE $(WARN) $(OPT) $(SAN) -pthread -Iharness \
           $(filter-out -I%,$(shell pkg-config --cflags $(PKGS))) \
           $(patsubst -I%,-isystem %,$(filter -I%,$(shell pkg-config --cflags $(PKGS))))
LDLIBS  += $(shell pkg-config --libs $(PKGS)) -lpcap -lnet -pthread -lm
LDFLAGS += $(SAN)

lib_src  := $(foreach d,$(DIRS),$(wildcard harness/$(d)/*.c))
cmd_src  := $(wildcard harness/cmd_*.c)
lib_obj  := $(lib_src:%.c=$(B)/%.o)
cmd_obj  := $(cmd_src:%.c=$(B)/%.o)
unit_src := $(wildcard tests/unit/test_*.c)
unit_bin := $(unit_src:tests/unit/%.c=$(B)/unit/%)

all: $(B)/leakproof
lib: $(B)/libleakproof.a

$(B)/leakproof: $(B)/harness/main.o $(cmd_obj) $(B)/libleakproof.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/libleakproof.a: $(lib_obj)
	@rm -f $@
	ar rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/unit/%: tests/unit/%.c $(B)/libleakproof.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Itests -MMD -MP -o $@ $< $(B)/libleakproof.a $(LDFLAGS) $(LDLIBS) -lcmocka

unit-bins: $(unit_bin)

clean:
	rm -rf build

.PHONY: all lib unit-bins clean
-include $(shell find $(B) -name '*.d' 2>/dev/null)
