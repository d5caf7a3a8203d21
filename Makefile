# tracking_fdw: Amazon Kinesis streams as PostgreSQL relations.
# What it is made of is in src/objects.mk.

MODULE_big = tracking_fdw
EXTENSION = tracking_fdw
DATA = tracking_fdw--1.0.sql

include $(dir $(lastword $(MAKEFILE_LIST)))src/objects.mk
OBJS = $(OBJECTS:%=src/%)

PG_CPPFLAGS = -I$(srcdir)/src -isystem $(shell $(PG_CONFIG) --includedir-server) \
	-I$(libpq_srcdir)
PG_CFLAGS = -Wall -Wextra -Werror -fvisibility=hidden
# before 16 the server's headers do not know that symbols can be hidden
PG_CPPFLAGS += '-DPGDLLEXPORT=__attribute__((visibility("default")))'
SHLIB_LINK = $(libpq) $(LIBRARIES)

# clang does not know all of the options that PGXS remembers from gcc
ifneq (,$(findstring clang,$(CC)))
PG_CFLAGS += -Wno-unknown-warning-option -Wno-ignored-optimization-argument
endif

# no network, no clock, no paths; the rest of the tests is in test/
REGRESS = options surface pipelines drop

# The module is all calls into libcurl and OpenSSL: bitcode for JIT inlining
# would only ask for an LLVM toolchain.
override with_llvm := no

PG_CONFIG ?= pg_config
# what sets up first cannot rely on pg_config, and runs make again
ifneq (,$(filter-out test test-versions test-store fuzz sanitize demo bench clean-test,$(or $(MAKECMDGOALS),all)))
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
endif

# PGXS knows nothing of header dependencies.
$(OBJS): $(wildcard $(srcdir)/src/*/*.h) $(srcdir)/src/objects.mk $(srcdir)/Makefile

# ---------------------------------------------------------------------
# make test, make demo, make bench: from a clean clone with nothing but make
# and gcc.  Each step is a make of its own, as pg_config may not be there
# before the set-up.
# ---------------------------------------------------------------------

PYTHON = /usr/bin/python3
CLUSTER = PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=test $(PYTHON) -m harness.cluster

.PHONY: test test-layers test-sql test-gcc test-clang test-scan test-fuzz test-install \
	test-regress test-pytest test-versions test-store fuzz sanitize clean-test demo soak bench

test:
	@test/setup.sh test
	@$(MAKE) --no-print-directory test-layers test-sql
	@$(MAKE) --no-print-directory -j2 test-gcc test-clang test-scan test-fuzz
	@$(MAKE) --no-print-directory test-install
	@$(MAKE) --no-print-directory test-regress
	@$(MAKE) --no-print-directory test-pytest

test-layers:
	@$(PYTHON) test/check_layers.py

test-sql:
	@$(PYTHON) test/check_sql.py

test-gcc:
	@echo "== gcc"
	@$(MAKE) --no-print-directory --silent all

# a second opinion on the sources; the objects are gcc's
test-clang:
	@echo "== clang"
	@clang -fsyntax-only -Wall -Wextra -Werror -Wdeclaration-after-statement \
		$(CPPFLAGS) $(OBJS:.o=.c)

test-scan:
	@echo "== scanner"
	@$(MAKE) --no-print-directory --silent -C test/scan check

# what the fuzzers begin with, and whatever they have found; see test/fuzz/Makefile
test-fuzz:
	@echo "== fuzzers"
	@$(MAKE) --no-print-directory --silent -C test/fuzz check

test-install:
	@test/install.sh
	@test/install.sh test/unit

test-regress:
	@echo "== pg_regress"
	@$(CLUSTER) $(MAKE) --no-print-directory --silent installcheck

# a file's tests run in one of four processes, where xdist is installed: much
# of their time they wait
PYTEST_JOBS = $(shell $(PYTHON) -c 'import xdist' 2>/dev/null && \
	echo '-n 4 --dist loadfile')

test-pytest:
	@echo "== pytest"
	@cd test && PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -q --tb=short $(PYTEST_JOBS) $(PYTEST)

# the same with the PostgreSQL of later releases of Debian, in chroots: as root
VERSIONS = 17 18
test-versions:
	@test/setup.sh versions
	@test/versions.sh $(VERSIONS)

# minutes of faults at once; see test/soak.py
SECONDS = 180
soak:
	@test/setup.sh test
	@$(MAKE) --no-print-directory --silent all
	@$(MAKE) --no-print-directory test-install
	@cd test && SECONDS_TO_SOAK=$(SECONDS) PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON) -m pytest -q -s --tb=short soak.py

# minutes of loads into a store with faults at every point; see test/store_volume.py
test-store:
	@test/setup.sh test
	@$(MAKE) --no-print-directory --silent all
	@test/install.sh
	@$(MAKE) --no-print-directory --silent -C bench/replay
	@cd test && EVENTS=$(EVENTS) PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON) -m pytest -q -s --tb=short store_volume.py

# so long for each fuzzer; what one finds is a file test/fuzz/build/found-*
FUZZ_SECONDS = 30
fuzz:
	@test/setup.sh test
	@$(MAKE) --no-print-directory --silent -C test/fuzz fuzz FUZZ_SECONDS=$(FUZZ_SECONDS)

# the suite, or PYTEST of it, with a server that has the sanitizers; as root or
# not, nothing of it is installed
sanitize:
	@test/setup.sh test
	@test/sanitize/run.sh $(PYTEST)

clean-test:
	rm -rf test/node_modules test/.pytest_cache results regression.out regression.diffs

demo:
	@test/setup.sh demo
	@$(MAKE) --no-print-directory --silent all
	@test/install.sh
	@$(PYTHON) demo/demo.py $(if $(KEEP),--keep)

# processor time beside COPY's; see docs/performance.md
WHAT = main
EVENTS = 1000000
ROUNDS = 5
SHARDS = 16
bench:
	@test/setup.sh bench
	@$(MAKE) --no-print-directory --silent all
	@test/install.sh
	@$(MAKE) --no-print-directory --silent -C bench/replay
	@$(PYTHON) bench/bench.py --what $(WHAT) --events $(EVENTS) --rounds $(ROUNDS) \
		--shards $(SHARDS)
