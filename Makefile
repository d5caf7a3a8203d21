# tracking_fdw: Amazon Kinesis streams as PostgreSQL relations.
# The object list is the map of src/, in the order of its layers.

MODULE_big = tracking_fdw
EXTENSION = tracking_fdw
DATA = tracking_fdw--1.0.sql

OBJS = \
	src/tracking_fdw.o \
	src/base/backoff.o \
	src/base/base64.o \
	src/base/blame.o \
	src/base/buffer.o \
	src/base/clean_secret.o \
	src/base/clean_text.o \
	src/base/cleanup.o \
	src/base/clock.o \
	src/base/encoding.o \
	src/base/json.o \
	src/base/json_scan.o \
	src/base/json_shape.o \
	src/base/json_shape_learn.o \
	src/base/json_skip.o \
	src/base/json_unescape.o \
	src/base/md5.o \
	src/base/search_path.o \
	src/base/text_settings.o \
	src/base/xml.o \
	src/http/http_budget.o \
	src/http/http_curl.o \
	src/http/http_easy.o \
	src/http/http_multi.o \
	src/aws/aws_answer.o \
	src/aws/aws_call.o \
	src/aws/aws_document.o \
	src/aws/aws_endpoint.o \
	src/aws/aws_error.o \
	src/aws/aws_request.o \
	src/aws/aws_service.o \
	src/aws/sigv4.o \
	src/service/aggregate.o \
	src/service/kinesis_answer.o \
	src/service/kinesis_control.o \
	src/service/kinesis_key.o \
	src/service/kinesis_page.o \
	src/service/kinesis_read.o \
	src/service/kinesis_record.o \
	src/service/kinesis_time.o \
	src/service/kinesis_unpack.o \
	src/service/kinesis_wire.o \
	src/service/kinesis_write.o \
	src/service/s3_client.o \
	src/service/s3_delete.o \
	src/service/s3_upload.o \
	src/credentials/credentials_keys.o \
	src/stream/batch.o \
	src/stream/position.o \
	src/stream/shard_allowance.o \
	src/stream/shard_pace.o \
	src/stream/shard_reader.o \
	src/stream/shard_tip.o \
	src/stream/stream_clock.o \
	src/stream/stream_listing.o \
	src/stream/stream_outbox.o \
	src/stream/stream_queue.o \
	src/stream/stream_reach.o \
	src/stream/stream_reader.o \
	src/stream/stream_schedule.o \
	src/stream/stream_writer.o \
	src/row/json_nodes.o \
	src/row/payload.o \
	src/row/payload_codec.o \
	src/row/payload_name.o \
	src/row/row_decimal.o \
	src/row/row_decode.o \
	src/row/row_documents.o \
	src/row/row_encode.o \
	src/row/row_error.o \
	src/row/row_hstore.o \
	src/row/row_json.o \
	src/row/row_jsonb.o \
	src/row/row_jsonb_large.o \
	src/row/row_jsonb_large_read.o \
	src/row/row_jsonb_plan.o \
	src/row/row_jsonb_write.o \
	src/row/row_memory.o \
	src/row/row_need.o \
	src/row/row_nested.o \
	src/row/row_notation.o \
	src/row/row_numeric.o \
	src/row/row_open.o \
	src/row/row_path.o \
	src/row/row_rows.o \
	src/row/row_scalar.o \
	src/row/row_shape.o \
	src/row/row_source.o \
	src/row/row_text.o \
	src/row/row_time.o \
	src/row/row_value.o \
	src/sink/batch_history.o \
	src/sink/catalog.o \
	src/sink/checkpoint.o \
	src/sink/checkpoint_reach.o \
	src/sink/checkpoint_wait.o \
	src/sink/dead_letter.o \
	src/sink/gap.o \
	src/sink/load_ledger.o \
	src/sink/pipeline_lock.o \
	src/sink/store_begin.o \
	src/sink/store_checkpoint.o \
	src/sink/store_commit.o \
	src/sink/store_connection.o \
	src/sink/store_copy_s3.o \
	src/sink/store_copy_stdin.o \
	src/sink/store_insert.o \
	src/sink/store_session.o \
	src/sink/store_stage.o \
	src/sink/store_statement.o \
	src/sink/store_token.o \
	src/sink/store_transaction.o \
	src/sink/store_type.o \
	src/sink/store_use.o \
	src/sink/store_wire.o \
	src/sink/store_writer.o \
	src/sink/table_extend.o \
	src/sink/table_insert.o \
	src/config/config.o \
	src/config/config_store.o \
	src/config/guc.o \
	src/config/option.o \
	src/config/option_store.o \
	src/fdw/fdw_handler.o \
	src/fdw/fdw_import.o \
	src/fdw/fdw_modify.o \
	src/fdw/fdw_plan.o \
	src/fdw/fdw_scan.o \
	src/fdw/store_handler.o \
	src/fdw/store_modify.o \
	src/fdw/store_plan.o \
	src/fdw/store_qual.o \
	src/fdw/store_scan.o \
	src/worker/checkpoint_change.o \
	src/worker/crash_count.o \
	src/worker/launcher.o \
	src/worker/pipeline_anchor.o \
	src/worker/pipeline_bounds.o \
	src/worker/pipeline_catalog.o \
	src/worker/pipeline_command.o \
	src/worker/pipeline_command_apply.o \
	src/worker/pipeline_drop.o \
	src/worker/pipeline_home.o \
	src/worker/pipeline_keeper.o \
	src/worker/pipeline_limits.o \
	src/worker/pipeline_owner.o \
	src/worker/pipeline_pause.o \
	src/worker/pipeline_read_only.o \
	src/worker/pipeline_plan.o \
	src/worker/pipeline_reach.o \
	src/worker/pipeline_reads.o \
	src/worker/pipeline_role.o \
	src/worker/pipeline_run.o \
	src/worker/pipeline_sql.o \
	src/worker/pipeline_state.o \
	src/worker/pipeline_store.o \
	src/worker/pipeline_target.o \
	src/worker/pipeline_token.o \
	src/worker/pipeline_watch.o \
	src/worker/pipeline_worker.o \
	src/worker/replay.o \
	src/worker/replay_filter.o \
	src/worker/run_pipeline.o \
	src/worker/runner_tip.o \
	src/worker/source_access.o \
	src/worker/source_key.o \
	src/worker/source_start.o \
	src/worker/source_stream.o \
	src/worker/source_table.o \
	src/worker/supervisor.o \
	src/worker/table_writers.o \
	src/worker/target_check.o \
	src/worker/worker.o \
	src/worker/worker_room.o \
	src/worker/worker_roster.o \
	src/worker/worker_share.o

PG_CPPFLAGS = -I$(srcdir)/src -isystem $(shell $(PG_CONFIG) --includedir-server) \
	-I$(libpq_srcdir)
PG_CFLAGS = -Wall -Wextra -Werror -fvisibility=hidden
# before 16 the server's headers do not know that symbols can be hidden
PG_CPPFLAGS += '-DPGDLLEXPORT=__attribute__((visibility("default")))'
SHLIB_LINK = $(libpq) -lcurl -lcrypto -ljansson -lz -lzstd

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
$(OBJS): $(wildcard $(srcdir)/src/*/*.h) $(srcdir)/Makefile

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
