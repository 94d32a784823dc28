# synpaws: the usual targets are all, check, demo, install, uninstall and clean; `make help` lists
# the rest. Nothing but libnetfilter_queue, libnfnetlink, libmnl and libc is needed to build.

VERSION := 0.1.0

PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR  ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/synpaws
DESTDIR ?=

CC         ?= cc
AR         ?= ar
PKG_CONFIG ?= pkg-config
CFLAGS     ?= -O2 -g

# A build elsewhere leaves this one alone: make BUILD=build/asan SANITIZE=1
BUILD    ?= build
PROGRAM  ?= $(if $(filter build,$(BUILD)),synpaws,$(BUILD)/synpaws)
SANITIZE ?=
WERROR   ?=

# Say what is done in a line each; V=1 shows the commands.
V    ?=
Q    := $(if $(V),,@)
says  = @$(if $(V),true,printf '  %-4s %s\n' $(1) $@)

try = $(shell $(CC) $(1) -Werror -S -o /dev/null -x c /dev/null >/dev/null 2>&1 && echo '$(1)')
has = $(shell $(PKG_CONFIG) --exists '$(1)' 2>/dev/null && echo yes)

needed   := libnetfilter_queue libnfnetlink libmnl
missing  := $(strip $(foreach p,$(needed),$(if $(call has,$(p)),,$(p))))
jansson  := $(call has,jansson)
capng    := $(call has,libcap-ng)
seccomp  := $(call has,libseccomp)
cmocka   := $(call has,cmocka)

# Before 1.9 libpcap has nothing for pkg-config, but a program of its own.
pcap_config := $(if $(call has,libpcap),,$(shell command -v pcap-config 2>/dev/null))
pcap        := $(if $(pcap_config),yes,$(call has,libpcap))

packages := $(needed) $(if $(jansson),jansson) $(if $(capng),libcap-ng) \
	    $(if $(seccomp),libseccomp) \
	    $(if $(pcap),$(if $(pcap_config),,libpcap))
features := $(if $(jansson),+json,-json) $(if $(capng),+libcap-ng,-libcap-ng) \
	    $(if $(seccomp),+libseccomp,-libseccomp) \
	    $(if $(pcap),+pcap,-pcap)

ifneq ($(and $(pcap),$(pcap_config)),)
pcap_cflags := $(shell $(pcap_config) --cflags)
pcap_libs   := $(shell $(pcap_config) --libs)
endif

warnings := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes $(if $(WERROR),-Werror)
ifneq ($(SANITIZE),)
hardening := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
link      := -fsanitize=address,undefined
else
hardening := $(or $(call try,-fstack-protector-strong),-fstack-protector) -D_FORTIFY_SOURCE=2 \
	     $(call try,-fstack-clash-protection) $(call try,-fcf-protection) -fPIE
link      := -pie -Wl,-z,relro,-z,now
endif

all_cflags = -std=gnu99 -D_GNU_SOURCE -Iinclude $(warnings) $(hardening) -pthread \
	     -DSYNPAWS_VERSION='"$(VERSION)"' -DSYNPAWS_FEATURES='"$(strip $(features))"' \
	     $(if $(jansson),-DHAVE_JANSSON) $(if $(capng),-DHAVE_CAPNG) \
	     $(if $(seccomp),-DHAVE_SECCOMP) \
	     $(if $(pcap),-DHAVE_PCAP) $(shell $(PKG_CONFIG) --cflags $(packages)) \
	     $(pcap_cflags) $(CPPFLAGS) $(CFLAGS)
all_libs   = $(shell $(PKG_CONFIG) --libs $(packages)) $(pcap_libs) -pthread -lrt

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
core   := $(call object,$(wildcard src/core/*.c))
rest   := $(call object,$(wildcard src/os/*.c src/source/*.c src/sink/*.c src/report/*.c src/cmd/*.c))
unit   := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*.c))
tools  := $(patsubst tests/live/%.c,$(BUILD)/tests/live/%,\
	    $(filter-out $(wildcard tests/live/*_*.c),$(wildcard tests/live/*.c)))

.PHONY: all help check demo deps unit unit-build golden fuzz live tools install uninstall clean format \
	bench bench-core bench-check bench-baseline
.DELETE_ON_ERROR:

all: $(PROGRAM)
	@echo "synpaws $(VERSION): built with $(strip $(features))$(if $(filter -%,$(features)),; a '-' \
	is what pkg-config did not find)"

help:
	@echo 'all        build ./synpaws (default)'
	@echo 'demo       show the main job on real packets; as root; installs what is missing'
	@echo 'check      all tests; as root; installs what is missing'
	@echo 'unit       the unit tests; needs cmocka'
	@echo 'golden     agreement with traces of real kernels, in each kind of evidence'
	@echo 'live       the tests on real packets; as root'
	@echo 'bench      what it costs against other programs, as root; minutes; bench-core without a'
	@echo '           kernel, bench-check by instructions, bench-baseline to count anew'
	@echo 'fuzz       fuzz what reads bytes of strangers; needs clang'
	@echo 'install    under PREFIX ($(PREFIX)), below DESTDIR if set; uninstall undoes it'
	@echo 'format     bring the code into shape with clang-format'
	@echo 'clean      remove what was built'

ifneq ($(missing),)
$(PROGRAM):
	@command -v $(PKG_CONFIG) >/dev/null || echo "synpaws: there is no $(PKG_CONFIG)" >&2
	@echo "synpaws: pkg-config does not find: $(missing)" >&2
	@echo "Install their development files; 'make deps' does it as root." >&2
	@exit 1
else
$(PROGRAM): $(rest) $(BUILD)/libsynpaws.a
	$(call says,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(link) -o $@ $^ $(all_libs)
endif

$(BUILD)/libsynpaws.a: $(core)
	$(call says,AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call says,CC)
	$(Q)$(CC) $(all_cflags) -MMD -MP -c -o $@ $<

# Rebuild when the flags or the features change.
$(BUILD)/flags: force
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(CC) $(all_cflags))' | cmp -s - $@ || \
		echo '$(subst ','\'',$(CC) $(all_cflags))' > $@
.PHONY: force

# A unit test sees the internal headers and links everything but main().
$(BUILD)/tests/unit/%: tests/unit/%.c $(filter-out %/cmd/main.o,$(rest)) $(BUILD)/libsynpaws.a
	@mkdir -p $(@D)
	$(call says,CC)
	$(Q)$(CC) $(all_cflags) -Isrc -MMD -MP $(LDFLAGS) $(link) -o $@ $< $(filter %.o %.a,$^) \
		$(all_libs) $(shell $(PKG_CONFIG) --libs cmocka)

# A live-test tool NAME is NAME.c and, where that would be long, NAME_*.c.
.SECONDEXPANSION:
$(BUILD)/tests/live/%: tests/live/%.c $$(wildcard tests/live/$$*_*.[ch]) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call says,CC)
	$(Q)$(CC) $(all_cflags) $(LDFLAGS) $(link) -o $@ $(filter tests/live/%.c,$^) $(all_libs)

# These take in some of the sources that they test.
$(BUILD)/tests/live/judge: $(wildcard src/report/*.[ch])
$(BUILD)/tests/live/sockets: $(wildcard src/source/sockets.[ch])

golden_programs := $(BUILD)/tests/golden/check $(BUILD)/tests/golden/score

$(golden_programs): $(BUILD)/%: %.c $(BUILD)/libsynpaws.a
	@mkdir -p $(@D)
	$(call says,CC)
	$(Q)$(CC) $(all_cflags) -Isrc $(LDFLAGS) $(link) -o $@ $^ $(all_libs)

golden: $(PROGRAM) $(golden_programs)
	@tests/golden/run $(abspath $(PROGRAM)) $(abspath $(BUILD)/tests/golden) --table

# Whole processes against others, the mirror by itself, and its instructions against the last count.
bench_core  := $(wildcard tests/bench/core*.c)
bench_tools := $(addprefix $(BUILD)/tests/bench/,bare connect flood took)

$(BUILD)/tests/bench/core: $(bench_core) $(wildcard tests/bench/core*.h) $(BUILD)/libsynpaws.a
	@mkdir -p $(@D)
	$(call says,CC)
	$(Q)$(CC) $(all_cflags) $(LDFLAGS) $(link) -o $@ $(filter %.c %.a,$^) -lrt

$(BUILD)/tests/bench/flood: $(wildcard tests/bench/flood_*.[ch]) tests/live/wire_common.c
$(bench_tools): $(BUILD)/%: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call says,CC)
	$(Q)$(CC) $(all_cflags) $(LDFLAGS) $(link) -o $@ $(filter %.c,$^) $(all_libs)

bench: all $(bench_tools)
	tests/bench/run $(ROWS)

bench-core: $(BUILD)/tests/bench/core
	$(BUILD)/tests/bench/core

bench-check:
	@CC='$(CC)' BUILD='$(BUILD)' tests/bench/check

bench-baseline:
	@CC='$(CC)' BUILD='$(BUILD)' tests/bench/check make

# Needs clang with its fuzzer runtime. FUZZ_RUNS=0 goes on until stopped.
FUZZ_RUNS ?= 2000000
fuzz:
	@mkdir -p build/fuzz
	@for t in segment nfmessage capture mirror state; do \
		echo "  FUZZ $$t"; \
		clang -std=gnu99 -D_GNU_SOURCE -O1 -g -Iinclude -Isrc -fsanitize=fuzzer,address,undefined \
			-fno-sanitize-recover=undefined -o build/fuzz/$$t tests/fuzz/$$t.c \
			src/core/*.c src/source/nf*.c src/source/fragments.c src/source/capture_link.c \
			$$($(PKG_CONFIG) --libs libnetfilter_queue libmnl) || exit 1; \
		mkdir -p build/fuzz/$$t.corpus; runs=$(FUZZ_RUNS); \
		[ $$t != state ] || runs=$$((runs / 10)); \
		build/fuzz/$$t -runs=$$runs -max_len=512 -print_final_stats=1 -artifact_prefix=build/fuzz/ \
			build/fuzz/$$t.corpus >build/fuzz/$$t.log 2>&1 || { tail -n 40 build/fuzz/$$t.log; exit 1; }; \
		grep -e '^Done' build/fuzz/$$t.log; \
	done

unit-build: $(unit) $(golden_programs)

unit: $(unit)
	@for t in $(unit); do $$t || exit 1; done

tools: $(tools)

live: all tools
	tests/run live

deps:
	tests/install-deps

# Two steps, since what pkg-config finds may change with the first.
check: deps
	+tests/run all

demo:
	tests/install-deps demo
	@$(MAKE) --no-print-directory all tools
	tests/live/demo

pages := $(wildcard contrib/doc/*.8)

install: all
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(DATADIR)/rules
	install -m 755 $(PROGRAM) $(DESTDIR)$(SBINDIR)/synpaws
	install -m 755 rules/synpaws-rules $(DESTDIR)$(SBINDIR)/synpaws-rules
	install -m 644 rules/*.rules rules/*.nft $(DESTDIR)$(DATADIR)/rules
	install -m 644 $(pages) $(DESTDIR)$(MANDIR)/man8

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/synpaws $(DESTDIR)$(SBINDIR)/synpaws-rules
	rm -f $(pages:contrib/doc/%=$(DESTDIR)$(MANDIR)/man8/%)
	rm -rf $(DESTDIR)$(DATADIR)

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build synpaws

-include $(wildcard $(BUILD)/src/*/*.d $(BUILD)/tests/*/*.d)
