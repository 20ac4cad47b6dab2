# A thin front of Meson and Ninja.  BUILD=dir builds elsewhere; PGSEAL_NO_INSTALL=1 installs nothing.
SHELL := /bin/bash
BUILD ?= build
PREFIX ?= /usr/local
export PATH := $(PATH):/usr/sbin:/usr/bin:/sbin:/bin

.PHONY: all deps demo check bench lint fuzz install clean po

all: deps $(BUILD)/build.ninja
	@ninja -C $(BUILD)

deps:
	@tools/install-deps build

$(BUILD)/build.ninja: | deps
	@meson setup --prefix=$(PREFIX) $(BUILD)

# From nothing to the proof: a server of its own, secured, attacked, rolled back.
demo:
	@tools/install-deps demo
	@$(MAKE) --no-print-directory all
	@tools/demo $(BUILD)/pgseal

# Everything that must hold; ends with "N passed, N failed".
check:
	@tools/install-deps check
	@tools/check

# The time of `pgseal secure` beside the same job by hand; dead lines of pg_hba.conf beside reading it; the
# CA beside the ceilings of keys, signatures and disk; a log of a million lines beside cat, wc and grep;
# captures beside libpcap alone, and live on loopback; scans beside sslscan, where it is installed.
bench:
	@tools/install-deps demo
	@$(MAKE) --no-print-directory all
	@tests/bench/bench $(BUILD)/pgseal
	@tests/bench/capture $(BUILD)/pgseal
	@tests/bench/live $(BUILD)/pgseal
	@ninja -C $(BUILD) tests/bench/hba_bench
	@$(BUILD)/tests/bench/hba_bench
	@ninja -C $(BUILD) tests/bench/ca_work
	@tests/bench/ca $(BUILD)/pgseal
	@tests/bench/logs $(BUILD)/pgseal
	@tests/bench/scan $(BUILD)/pgseal

lint:
	@tools/install-deps lint
	@$(MAKE) --no-print-directory all
	@tools/lint $(BUILD)

# FUZZ_SECONDS for each target.
fuzz:
	@tools/install-deps fuzz
	@tools/fuzz

install: all
	@meson install -C $(BUILD) --no-rebuild

# POTFILES and every language brought up to the messages in the source.
po:
	@tools/po-update.sh

clean:
	rm -rf $(BUILD) build-asan build-clang build-fuzz
