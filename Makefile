# One Makefile, no recursion into folders.  Everything made lands in build/$(VARIANT)/; the
# release products are linked from build/.
#
#   make             the shim and the tool          make test    unit tests
#   make check       what a commit must pass        make demo    the product on a real php-fpm
#   make help        all targets                    make VARIANT=asan test   another build

.DEFAULT_GOAL := all
MAKEFLAGS     += --no-builtin-rules
VARIANT       ?= release
OUT           := build/$(VARIANT)
DESTDIR       ?=
PREFIX        ?= /usr/local
prefix        ?= $(PREFIX)
BINDIR        ?= $(prefix)/bin
LIBDIR        ?= $(prefix)/lib
UNITDIR       ?= $(LIBDIR)/systemd/system
CC            := $(if $(filter default,$(origin CC)),gcc,$(CC))
AR            ?= ar
PKG_CONFIG    ?= pkg-config
CLANG_FORMAT  ?= clang-format
CLANG_TIDY    ?= clang-tidy
JOBS          ?= $(shell nproc 2>/dev/null || echo 2)
Q             := $(if $(V),,@)

TOOL_PKGS     := sqlite3 libuv jansson smartcols libxxhash libpcre2-8 zlib libdw inih
TEST_PKGS     := cmocka
# The journal is read where libsystemd is; WITH_SYSTEMD= builds without it.
WITH_SYSTEMD  ?= $(shell $(PKG_CONFIG) --exists libsystemd 2>/dev/null && echo yes)
JOURNAL_SRC   := collector/logs/journal_$(if $(WITH_SYSTEMD),systemd,absent).c
TOOL_PKGS     += $(if $(WITH_SYSTEMD),libsystemd)

# --- sources, in the order a newcomer should read them --------------------------------
PRELOAD_SRC := \
	preload/base/config.c \
	preload/base/process.c \
	preload/base/cpu_clock.c \
	preload/base/real.c \
	preload/base/free_filter.c \
	preload/base/pace.c \
	preload/base/thread.c \
	preload/request/fcgi_records.c \
	preload/request/params.c \
	preload/request/response.c \
	preload/request/tracker.c \
	preload/alloc/chunk.c \
	preload/alloc/ledger.c \
	preload/alloc/sampler.c \
	preload/alloc/controller.c \
	preload/alloc/closeup.c \
	preload/alloc/toll.c \
	preload/alloc/live_table.c \
	preload/alloc/mapped.c \
	preload/recorder/page_dir.c \
	preload/recorder/page_sweep.c \
	preload/recorder/recorder.c \
	preload/emit/link.c \
	preload/emit/batch.c \
	preload/alloc/stack_message.c \
	preload/alloc/exact_marks.c \
	preload/alloc/exact_groups.c \
	preload/alloc/exact_paths.c \
	preload/alloc/exact_stacks.c \
	preload/alloc/exact_native.c \
	preload/alloc/samples.c \
	preload/alloc/growth.c \
	preload/stack/memory_reader.c \
	preload/stack/php_engine.c \
	preload/stack/php_layout.c \
	preload/stack/php_stack_walk.c \
	preload/stack/php_stack_text.c \
	preload/stack/php_stack_check.c \
	preload/stack/unwind_program.c \
	preload/stack/unwind_table.c \
	preload/stack/unwind_image.c \
	preload/stack/unwind_library.c \
	preload/stack/native_stack.c \
	preload/stack/stack_table.c \
	preload/stack/worker_stacks.c \
	preload/stack/context.c \
	preload/zend/arming_policy.c \
	preload/zend/chooser.c \
	preload/zend/picture.c \
	preload/zend/heap.c \
	preload/zend/shadow.c \
	preload/zend/exact.c \
	preload/zend/sampled.c \
	preload/zend/held_message.c \
	preload/zend/armed.c \
	preload/crash/crash_copy.c \
	preload/crash/crash_deadline.c \
	preload/crash/crash.c \
	preload/session.c

# What the crash handler is made of: scripts/check-signal-safe.
SIGNAL_SAFE_SRC := \
	preload/stack/memory_reader.c \
	preload/stack/php_stack_walk.c \
	preload/stack/php_stack_text.c \
	preload/crash/crash_copy.c \
	preload/crash/crash_deadline.c \
	preload/crash/crash.c

# Exports the malloc family and friends: part of the .so, never linked into a test.
PRELOAD_WRAP_SRC := \
	preload/alloc/wrap_malloc.c \
	preload/alloc/wrap_malloc_family.c \
	preload/alloc/wrap_map.c \
	preload/alloc/wrap_dlopen.c \
	preload/zend_hooks.c \
	preload/worker.c \
	preload/master.c \
	preload/wrap_io.c \
	preload/wrap_process.c \
	preload/wrap_timer.c \
	preload/shim.c

BASE_SRC := \
	collector/base/array.c \
	collector/base/arena.c \
	collector/base/idmap.c \
	collector/base/intern.c \
	collector/base/histogram.c \
	collector/base/paths.c \
	collector/base/proc.c

MODEL_SRC := \
	collector/model/memory_holders.c \
	collector/model/event_keys.c \
	collector/model/json_unescape.c \
	collector/model/event_parse.c \
	collector/model/event_read.c \
	collector/model/event_write.c \
	collector/model/log_event.c \
	collector/model/uri_hash.c

NET_SRC := \
	collector/net/loop.c \
	collector/net/listener.c \
	collector/net/peer.c

LOGS_SRC := \
	collector/logs/scan.c \
	collector/logs/log_time.c \
	collector/logs/unescape.c \
	collector/logs/access_names.c \
	collector/logs/access_draft.c \
	collector/logs/access_json.c \
	collector/logs/access_combined.c \
	collector/logs/access_format.c \
	collector/logs/nginx_error.c \
	collector/logs/fpm_log.c \
	collector/logs/php_error.c \
	collector/logs/php_slow.c \
	collector/logs/kernel_message.c \
	collector/logs/systemd_message.c \
	collector/logs/system_log.c \
	collector/logs/journal_entry.c \
	collector/logs/journal_text.c \
	collector/logs/journal_places.c \
	$(JOURNAL_SRC) \
	collector/logs/varnishlog.c \
	collector/logs/varnishncsa.c \
	collector/logs/varnishd.c \
	collector/logs/records.c \
	collector/logs/recognise.c \
	collector/logs/log_decoder.c \
	collector/logs/line_reader.c \
	collector/logs/log_source.c \
	collector/logs/journal_follow.c \
	collector/logs/log_zone.c \
	collector/logs/log_tail.c \
	collector/logs/log_follow.c \
	collector/logs/log_matter.c \
	collector/logs/log_configs.c \
	collector/logs/nginx_walk.c \
	collector/logs/nginx_hops.c \
	collector/logs/nginx_config.c \
	collector/logs/fpm_config.c

STORE_SRC := \
	collector/store/tables.c \
	collector/store/row_queue.c \
	collector/store/database.c \
	collector/store/schema.c \
	collector/store/statements.c \
	collector/store/problem.c \
	collector/store/stack_use.c \
	collector/store/log_files.c \
	collector/store/coverage.c \
	collector/store/facts.c \
	collector/store/append.c \
	collector/store/read.c \
	collector/store/read_lines.c \
	collector/store/store.c \
	collector/store/inspect.c \
	collector/store/retain.c

INGEST_SRC := \
	collector/ingest/worker_table.c \
	collector/ingest/page.c \
	collector/ingest/tell.c \
	collector/ingest/worker_pages.c \
	collector/ingest/packets.c \
	collector/ingest/outbox.c \
	collector/ingest/requests.c \
	collector/ingest/masters.c \
	collector/ingest/stacks.c \
	collector/ingest/controllers.c \
	collector/ingest/crashes.c \
	collector/ingest/ends.c \
	collector/ingest/heap_walk.c \
	collector/ingest/heap_process.c \
	collector/ingest/memory_look.c \
	collector/ingest/scan.c \
	collector/ingest/wishes.c \
	collector/ingest/resume.c \
	collector/ingest/ingest.c \
	collector/ingest/module_files.c \
	collector/ingest/code_map.c \
	collector/ingest/reader_child.c \
	collector/ingest/reader_child_privileges.c \
	collector/ingest/elf_modules.c \
	collector/ingest/native_frame.c \
	collector/ingest/native_namer.c \
	collector/ingest/native_batch.c \
	collector/ingest/native_names.c \
	collector/ingest/crash_page.c \
	collector/ingest/crash_report.c

ANALYZE_SRC := \
	collector/analyze/route/uri_parts.c \
	collector/analyze/route/uri_dispatch.c \
	collector/analyze/route/uri_mask.c \
	collector/analyze/route/segment.c \
	collector/analyze/route/route.c \
	collector/analyze/module/php_frame.c \
	collector/analyze/module/php_trace_line.c \
	collector/analyze/module/module_path.c \
	collector/analyze/module/module_class.c \
	collector/analyze/module/module_name.c \
	collector/analyze/module/module_marker.c \
	collector/analyze/module/module_package.c \
	collector/analyze/module/module_registration.c \
	collector/analyze/module/module_evidence.c \
	collector/analyze/module/module_vendor.c \
	collector/analyze/module/module_elsewhere.c \
	collector/analyze/module/module_overrides.c \
	collector/analyze/module/module.c \
	collector/analyze/module/native_origin.c \
	collector/analyze/module/php_class_scan.c \
	collector/analyze/module/blame_boundary.c \
	collector/analyze/module/module_app.c \
	collector/analyze/module/module_why.c \
	collector/analyze/module/blame.c \
	collector/analyze/route/route_table.c \
	collector/analyze/route/route_naming.c \
	collector/analyze/route/route_controller.c \
	collector/analyze/summary/memory_parts.c \
	collector/analyze/summary/worker_ledger.c \
	collector/analyze/summary/death_ledger.c \
	collector/analyze/summary/pool_traffic.c \
	collector/analyze/summary/pool_load.c \
	collector/analyze/summary/route_ledger.c \
	collector/analyze/summary/stack_ledger.c \
	collector/analyze/summary/stack_fold.c \
	collector/analyze/leak/known_cache.c \
	collector/analyze/summary/summary_blame.c \
	collector/analyze/summary/growth_book.c \
	collector/analyze/summary/summary_held.c \
	collector/analyze/summary/summary_routes.c \
	collector/analyze/summary/summary_crashes.c \
	collector/analyze/summary/summary_workers.c \
	collector/analyze/summary/summary_memory.c \
	collector/analyze/summary/summary_modules.c \
	collector/analyze/summary/summary.c \
	collector/analyze/summary/summary_compare.c \
	collector/analyze/summary/milestones.c \
	collector/analyze/summary/crash_groups.c \
	collector/analyze/gateway/gateway_notes.c \
	collector/analyze/gateway/gateway_wanted.c \
	collector/analyze/gateway/gateway_collect.c \
	collector/analyze/gateway/gateway_collect_kernel.c \
	collector/analyze/gateway/gateway_census.c \
	collector/analyze/gateway/gateway_worker.c \
	collector/analyze/gateway/gateway_ends.c \
	collector/analyze/gateway/gateway_events.c \
	collector/analyze/gateway/gateway_holders.c \
	collector/analyze/gateway/gateway_pools.c \
	collector/analyze/gateway/gateway_owners.c \
	collector/analyze/gateway/gateway_masters.c \
	collector/analyze/gateway/gateway_clock_samples.c \
	collector/analyze/gateway/gateway_clock_votes.c \
	collector/analyze/gateway/gateway_clock.c \
	collector/analyze/gateway/gateway_hops.c \
	collector/analyze/gateway/gateway_fold_blind.c \
	collector/analyze/gateway/gateway_fold.c \
	collector/analyze/gateway/gateway_deaths.c \
	collector/analyze/gateway/gateway_restarts.c \
	collector/analyze/gateway/gateway_causes.c \
	collector/analyze/gateway/gateway_match.c \
	collector/analyze/gateway/gateway_tie.c \
	collector/analyze/gateway/gateway_edges.c \
	collector/analyze/gateway/gateway_groups.c \
	collector/analyze/gateway/gateway_join.c \
	collector/analyze/gateway/gateway_evidence.c \
	collector/analyze/gateway/gateway_decide.c \
	collector/analyze/gateway/gateway_names.c \
	collector/analyze/gateway/gateway_spell.c \
	collector/analyze/gateway/gateway_advice.c \
	collector/analyze/gateway/gateway_kernel_words.c \
	collector/analyze/gateway/gateway_words.c \
	collector/analyze/gateway/gateway_witness.c \
	collector/analyze/gateway/gateway_row.c \
	collector/analyze/gateway/gateway.c \
	collector/analyze/leak/leak.c \
	collector/analyze/leak/leak_trace.c \
	collector/analyze/leak/leak_route.c \
	collector/analyze/leak/leak_worker.c \
	collector/analyze/leak/leak_visit.c \
	collector/analyze/leak/leak_ledger.c \
	collector/analyze/leak/leak_floor.c \
	collector/analyze/leak/leak_release.c \
	collector/analyze/leak/leak_cleanup.c \
	collector/analyze/leak/leak_chunk.c \
	collector/analyze/leak/leak_restart.c \
	collector/analyze/leak/leak_sample.c \
	collector/analyze/leak/leak_tick.c \
	collector/analyze/leak/leak_claim.c \
	collector/analyze/leak/leak_balance.c \
	collector/analyze/leak/leak_belief.c \
	collector/analyze/leak/leak_veto.c \
	collector/analyze/leak/leak_nnls.c \
	collector/analyze/leak/leak_label.c \
	collector/analyze/leak/leak_report.c \
	collector/analyze/leak/escalation.c \
	collector/analyze/doctor/doctor_proc.c \
	collector/analyze/doctor/doctor_cgroup.c \
	collector/analyze/doctor/doctor_php_info.c \
	collector/analyze/doctor/doctor_varnish_words.c \
	collector/analyze/doctor/doctor_host.c \
	collector/analyze/doctor/doctor_finding.c \
	collector/analyze/doctor/doctor_commands.c \
	collector/analyze/doctor/doctor_names.c \
	collector/analyze/doctor/doctor_sizing.c \
	collector/analyze/doctor/doctor_fpm.c \
	collector/analyze/doctor/doctor_extensions.c \
	collector/analyze/doctor/doctor_collector.c \
	collector/analyze/doctor/doctor_memory.c \
	collector/analyze/doctor/doctor_settings.c \
	collector/analyze/doctor/doctor_gateway.c \
	collector/analyze/doctor/doctor_varnish.c \
	collector/analyze/doctor/doctor_logs.c \
	collector/analyze/doctor/doctor.c

REPORT_SRC := \
	collector/report/leak_text.c \
	collector/report/leak_json.c \
	collector/report/human.c \
	collector/report/columns.c \
	collector/report/frame_text.c \
	collector/report/table_fit.c \
	collector/report/table.c \
	collector/report/text_sink.c \
	collector/report/paragraph.c \
	collector/report/prognosis.c \
	collector/report/route_text.c \
	collector/report/crash_text.c \
	collector/report/milestone_text.c \
	collector/report/crash_groups_text.c \
	collector/report/json_text.c \
	collector/report/memory_text.c \
	collector/report/summary_json.c \
	collector/report/gateway_fields.c \
	collector/report/gateway_json.c \
	collector/report/gateway_left_out.c \
	collector/report/gateway_text.c \
	collector/report/gateway_counts.c \
	collector/report/compare_text.c \
	collector/report/summary_tables.c \
	collector/report/summary_text.c \
	collector/report/doctor_text.c

CLI_SRC := \
	collector/cli/cli.c \
	collector/cli/input/period.c \
	collector/cli/gateway/store_feed.c \
	collector/cli/summary_view.c \
	collector/cli/coverage_view.c \
	collector/cli/summary_part.c \
	collector/cli/compare_view.c \
	collector/cli/cmd_summary.c \
	collector/cli/cmd_routes.c \
	collector/cli/cmd_modules.c \
	collector/cli/cmd_workers.c \
	collector/cli/cmd_crashes.c \
	collector/cli/collect/collector_say.c \
	collector/cli/collect/collector_store.c \
	collector/cli/collect/collector_memory.c \
	collector/cli/collect/collector_escalation.c \
	collector/cli/collect/peer_connections.c \
	collector/cli/collect/peer_doors.c \
	collector/cli/collect/collector_peers.c \
	collector/cli/collect/line_mask.c \
	collector/cli/collect/recent_lines.c \
	collector/cli/collect/followed_log.c \
	collector/cli/collect/collector_logs.c \
	collector/cli/collect/collector.c \
	collector/cli/collect/collect_life.c \
	collector/cli/input/find_logs.c \
	collector/cli/input/fpm_files.c \
	collector/cli/input/masters_running.c \
	collector/cli/input/nginx_dump.c \
	collector/cli/collect/collect_options.c \
	collector/cli/collect/supervisor.c \
	collector/cli/collect/run_places.c \
	collector/cli/cmd_collect.c \
	collector/cli/collect/find_shim.c \
	collector/cli/cmd_run.c \
	collector/cli/input/data_option.c \
	collector/cli/cmd_export.c \
	collector/cli/cmd_import.c \
	collector/cli/cmd_mark.c \
	collector/cli/input/module_config.c \
	collector/cli/module_of_files.c \
	collector/cli/cmd_module.c \
	collector/cli/filter.c \
	collector/cli/gateway/gateway_feed.c \
	collector/cli/gateway/gateway_owners.c \
	collector/cli/gateway/growth_owners.c \
	collector/cli/gateway/slow_owners.c \
	collector/cli/gateway/gateway_places.c \
	collector/cli/gateway/gateway_source.c \
	collector/cli/gateway/shown_rows.c \
	collector/cli/gateway_follow.c \
	collector/cli/cmd_502.c \
	collector/cli/cmd_analyze.c \
	collector/cli/input/small_file.c \
	collector/cli/input/command_output.c \
	collector/cli/doctor/doctor_read_processes.c \
	collector/cli/doctor/doctor_read_cgroup.c \
	collector/cli/doctor/doctor_read_fpm.c \
	collector/cli/doctor/doctor_read_nginx.c \
	collector/cli/doctor/doctor_read_varnish.c \
	collector/cli/doctor/doctor_read_memory.c \
	collector/cli/doctor/doctor_read_collector.c \
	collector/cli/doctor/doctor_read_kernel.c \
	collector/cli/doctor/doctor_read_logs.c \
	collector/cli/doctor/doctor_read_host.c \
	collector/cli/cmd_doctor.c \
	collector/cli/help_topics.c \
	collector/cli/cmd_help.c

SHIM_SRC  := $(strip $(PRELOAD_SRC) $(PRELOAD_WRAP_SRC))
# The same shim over a jemalloc of its own.
JEMALLOC_ONLY_SRC := preload/alloc/wrap_malloc_jemalloc.c preload/alloc/jemalloc_host.c
JEMALLOC_SHIM_SRC := $(filter-out preload/alloc/wrap_malloc.c,$(SHIM_SRC)) $(JEMALLOC_ONLY_SRC)
TOOL_SRC  := $(BASE_SRC) $(MODEL_SRC) $(NET_SRC) $(LOGS_SRC) $(STORE_SRC) $(INGEST_SRC) \
             $(ANALYZE_SRC) $(REPORT_SRC) $(CLI_SRC)
MAIN_SRC  := collector/main.c

find_c    = $(sort $(shell find $(1) -name '$(2)' 2>/dev/null))
TEST_SRC  := $(call find_c,tests/unit,test_*.c)
FUZZ_SRC  := $(call find_c,tests/fuzz,fuzz_*.c)
BENCH_SRC := $(call find_c,tests/bench,bench_*.c)
# Run beside php-fpm, and loaded into it.
PROBE_SRC := $(filter-out tests/e2e/injected/%,$(call find_c,tests/e2e,*.c))
INJECTED_SRC := $(call find_c,tests/e2e/injected,*.c)
HEADERS   := $(call find_c,include preload collector tests,*.h)
SOURCES   := $(SHIM_SRC) $(JEMALLOC_ONLY_SRC) $(TOOL_SRC) $(MAIN_SRC) $(TEST_SRC) $(FUZZ_SRC) $(BENCH_SRC) \
             $(PROBE_SRC) $(INJECTED_SRC)

# --- flags: one set for all, one per variant, one per top folder ------------------------
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wvla -Wwrite-strings -Wundef -Wformat=2 $(if $(WERROR),-Werror)

harden       := -fstack-protector-strong -fcf-protection
for_release  := -O2 -D_FORTIFY_SOURCE=2 $(harden)
for_debug    := -Og
for_asan     := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
for_ubsan    := -O1 -fsanitize=undefined -fno-sanitize-recover=all
for_tsan     := -O1 -fsanitize=thread
for_fuzz     := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
for_coverage := -O0 --coverage
ifeq ($(origin for_$(VARIANT)),undefined)
$(error VARIANT is '$(VARIANT)': use release, debug, asan, ubsan, tsan, fuzz or coverage)
endif

# The shim is optimised as one: what a request costs is small functions of many files that call each
# other (300 instructions less in a request that does nothing).  Only the products are linked so.
lto_release  := $(if $(findstring Free Software Foundation,$(shell $(CC) --version 2>/dev/null)),-flto=auto -ffat-lto-objects)

# The shim: initial-exec TLS (5 ns a pair cheaper than the default), no fortified imports, and no
# gcc that turns malloc+memset into a call of the calloc that we are.  No frame pointer, no PLT and
# no landing pads (which Linux does not use in programs): 12 instructions less in a malloc/free pair.
in_preload   := -fPIC -fno-plt -fomit-frame-pointer -fcf-protection=return -fvisibility=hidden -ftls-model=initial-exec -U_FORTIFY_SOURCE -Ipreload \
                -fno-stack-protector -fno-builtin-malloc -fno-builtin-calloc \
                -fno-builtin-realloc -fno-builtin-free $(lto_$(VARIANT))
tool_cflags  := $(shell $(PKG_CONFIG) --cflags $(TOOL_PKGS) 2>/dev/null)
in_collector := -Icollector $(tool_cflags)
# cmocka's asserts do not tell gcc that they leave the test.
in_tests     := -Ipreload -Icollector -Itests $(tool_cflags) -Wno-maybe-uninitialized
in_include   :=

CPPFLAGS_ALL := -D_GNU_SOURCE -Iinclude $(CPPFLAGS)
CFLAGS_ALL   := -std=gnu11 -g -fno-omit-frame-pointer -fno-common $(WARN) $(for_$(VARIANT)) $(CFLAGS)
LDFLAGS_ANY  := $(filter -fsanitize% --coverage,$(for_$(VARIANT))) -Wl,-z,relro,-z,now $(LDFLAGS)
LDFLAGS_ALL  := $(LDFLAGS_ANY) $(if $(lto_$(VARIANT)),-fno-lto)
compile       = $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(in_$(firstword $(subst /, ,$<))) -MMD -MP -c -o $@ $<
libs          = $(if $(strip $(1)),$(shell $(PKG_CONFIG) --libs $(1))) -lm
obj           = $(patsubst %.c,$(OUT)/%.o,$(1))

# --- products ---------------------------------------------------------------------------
SHIM    := $(if $(SHIM_SRC),$(OUT)/libfpmscope.so)
SHIM_JEMALLOC := $(OUT)/libfpmscope-jemalloc.so
TOOL    := $(OUT)/fpmscope
TESTS   := $(patsubst %.c,$(OUT)/%,$(TEST_SRC))
FUZZERS := $(patsubst %.c,$(OUT)/%,$(FUZZ_SRC))
BENCHES := $(patsubst %.c,$(OUT)/%,$(BENCH_SRC))
PROBES  := $(patsubst %.c,$(OUT)/%,$(PROBE_SRC)) $(patsubst %.c,$(OUT)/%.so,$(INJECTED_SRC))

.PHONY: all
# A malloc shim and a sanitizer both want to be malloc: the shim exists only without one.
all: $(if $(filter release debug,$(VARIANT)),$(SHIM) $(SHIM_JEMALLOC)) $(TOOL) $(if $(filter release,$(VARIANT)),links)  ## build the shim and the tool

.PHONY: links
links: $(SHIM) $(SHIM_JEMALLOC) $(TOOL)
	$(Q)ln -sfn $(patsubst build/%,%,$(TOOL)) build/fpmscope
	$(Q)$(foreach lib,$(SHIM) $(SHIM_JEMALLOC),ln -sfn $(patsubst build/%,%,$(lib)) build/$(notdir $(lib));)

# Linked against a libc.so.6 that has nothing but the symbols of imports.list: imports are checked by
# the linker and carry no version, so that one file runs on every glibc since 2.31.
STUB_LIBC := $(OUT)/stub/libc.so.6
STUB_LIBC_JEMALLOC := $(OUT)/stub-jemalloc/libc.so.6
$(STUB_LIBC): preload/imports.list
$(STUB_LIBC_JEMALLOC): preload/imports.list preload/imports-jemalloc.list
$(STUB_LIBC) $(STUB_LIBC_JEMALLOC):
	@mkdir -p $(@D)
	$(Q)awk '!/^#/ && NF == 1 { print ".globl " $$1 "\n.type " $$1 ", @function\n" $$1 ": ret" }' $^ \
		| $(CC) -shared -nostdlib -Wl,-soname,libc.so.6 -o $@ -xassembler -
# Its functions get names of their own: the exported malloc() is the shim's.
JEMALLOC_ARCHIVE := $(OUT)/stub-jemalloc/jemalloc.a
$(JEMALLOC_ARCHIVE): preload/alloc/jemalloc.syms
	@mkdir -p $(@D)
	$(Q)objcopy --redefine-syms=$< $(shell $(CC) -print-file-name=libjemalloc_pic.a) $@

link_shim = $(CC) $(LDFLAGS_ANY) $(if $(lto_$(VARIANT)),$(filter -O%,$(for_$(VARIANT))) $(in_preload) -flto-partition=one) -shared -nostdlib -Wl,-z,defs,--version-script=preload/exports.map \
		-o $@ $(filter %.o,$^) $(filter %.a,$^)
$(SHIM): $(call obj,$(SHIM_SRC)) preload/exports.map $(STUB_LIBC)
	@echo "  LD      $@"
	$(Q)$(link_shim) $(STUB_LIBC)
$(SHIM_JEMALLOC): $(call obj,$(JEMALLOC_SHIM_SRC)) $(JEMALLOC_ARCHIVE) preload/exports.map $(STUB_LIBC_JEMALLOC)
	@echo "  LD      $@"
	$(Q)$(link_shim) $(STUB_LIBC_JEMALLOC) $(shell $(CC) -print-libgcc-file-name)

# Everything but main() and the exported malloc family; tests, fuzzers and benches take what they
# use out of it.
LIB := $(OUT)/libtestable.a
$(LIB): $(call obj,$(PRELOAD_SRC) $(TOOL_SRC))
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(TOOL): $(call obj,$(MAIN_SRC)) $(call obj,$(TOOL_SRC))
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs,$(TOOL_PKGS)) -lm

$(OUT)/tests/e2e/injected/%.so: tests/e2e/injected/%.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -Ipreload -fPIC -shared $(injected_flags) -o $@ $< $(filter %.a,$^)
$(OUT)/tests/e2e/injected/headerless_malloc.so: injected_flags := -Wl,--no-eh-frame-hdr
# It walks stacks with the shim's own code.
$(OUT)/tests/e2e/injected/stack_oracle.so: $(LIB)
$(TESTS) $(BENCHES) $(filter-out %.so,$(PROBES)): $(OUT)/%: $(OUT)/%.o $(LIB)
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs,$(TEST_PKGS) $(TOOL_PKGS)) -lm
$(FUZZERS): $(OUT)/%: $(OUT)/%.o $(LIB)
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(call libs,$(TOOL_PKGS)) -lm

$(OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(compile)
	@printf '{"directory":"%s","file":"%s","command":"%s"},\n' '$(CURDIR)' '$<' '$(strip $(filter-out $(lto_$(VARIANT)),$(compile)))' >$@.json
-include $(patsubst %.c,$(OUT)/%.d,$(SOURCES))

# --- tests --------------------------------------------------------------------------------
.PHONY: test tests-built e2e matrix soak soak-leaks chaos big-log compat fpm-tests bench bench-wordpress bench-compare fuzz fuzz-run memcheck memcheck-run asan ubsan tsan coverage demo setup
setup:                            ## install what a fresh Debian 12 lacks (scripts/setup)
	@scripts/setup
tests-built: $(TESTS)
test: $(TESTS)                    ## unit tests of this VARIANT
	$(Q)FPMSCOPE_BIN=$(TOOL) scripts/run-tests $^
asan ubsan tsan:                  ## unit tests under a sanitizer
	$(Q)$(MAKE) VARIANT=$@ test
memcheck: all                     ## valgrind: unit tests, and a live collector under real php-fpm (root)
	$(Q)$(MAKE) VARIANT=debug memcheck-run
memcheck-run: $(TESTS) $(TOOL)
	$(Q)FPMSCOPE_BIN=$(TOOL) scripts/run-valgrind $(TESTS)
	$(Q)tests/e2e/memcheck.py
fuzz:                             ## every fuzzer for FUZZ_S seconds (clang)
	$(Q)$(MAKE) CC=clang VARIANT=fuzz fuzz-run
FUZZ_S ?= 5
fuzz-run: $(FUZZERS)
	$(Q)FUZZ_S=$(FUZZ_S) scripts/run-fuzzers $^
e2e: all $(PROBES)                ## real php-fpm and nginx: every tests/e2e/test_*.py
	$(Q)scripts/run-e2e $(sort $(wildcard tests/e2e/test_*.py))
matrix: all $(PROBES)             ## php-fpm under load while things go wrong, with and without the shim (root)
	$(Q)tests/e2e/fault_matrix.py
SOAK_MIN ?= 5
soak: all $(PROBES)               ## SOAK_MIN minutes at full load with reloads; 100 kills of the collector (root)
	$(Q)tests/e2e/soak.py $(SOAK_MIN)
	$(Q)tests/e2e/test_nothing_lost.py 100
soak-leaks: all                   ## leaks and false friends of PHP itself on 1, 4 and 16 workers; minutes
	$(Q)FPMSCOPE_SOAK=1 tests/e2e/test_real_leaks.py
CHAOS_DEATHS ?= 1000
chaos: all                        ## CHAOS_DEATHS workers killed under load; figures: tests/RELIABILITY.md
	$(Q)tests/e2e/chaos.py --deaths $(CHAOS_DEATHS)
BIG_LOG_GB ?= 10
big-log: all                      ## an access log of BIG_LOG_GB through `fpmscope 502`: time and memory
	$(Q)nice -n 5 tests/bench/big_log.py $(TOOL) --gb $(BIG_LOG_GB)
compat: all $(PROBES)             ## the same library under php 7.4 and 8.4 (root, network)
	$(Q)tests/compat/run build/compat
	$(Q)$(MAKE) fpm-tests
fpm-tests: all                    ## PHP's own FPM tests, with and without the shim (root, network)
	$(Q)tests/compat/fpm_tests.py build/compat
demo: ready all                   ## the product on a real php-fpm and nginx, ends with the summary
	$(Q)scripts/demo
bench: all $(BENCHES)             ## what it costs; figures that matter go to tests/bench/RESULTS.md
	$(Q)for b in $(BENCHES); do $$b || exit 1; done
	$(Q)tests/bench/bench_fpm.py
bench-wordpress: all              ## the same on WordPress with MariaDB, which it installs (root)
	$(Q)tests/bench/bench_wordpress.py
bench-compare: all                ## beside heaptrack, Xdebug, Excimer, gperftools; unpacked, not installed (root)
	$(Q)tests/bench/compare_tools.py
coverage:                         ## line coverage of the unit tests, into build/coverage (needs gcovr)
	$(Q)$(MAKE) VARIANT=coverage test
	$(Q)gcovr --root . --filter preload --filter collector --filter include --html-details build/coverage/index.html

# --- gates --------------------------------------------------------------------------------
scores: check-captures
.PHONY: check check-captures check-modules check-headers check-layers check-circles check-shim check-format check-leak format tidy
check-headers: $(HEADERS:%=$(OUT)/%.ok)  ## every header compiles alone
$(OUT)/%.h.ok: %.h
	@mkdir -p $(@D)
	$(Q)echo '#include "$<"' | $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(in_$(firstword $(subst /, ,$<))) -I. -fsyntax-only -xc - && touch $@
check-layers:                     ## includes point one way only
	$(Q)scripts/check-layers
check-circles: $(call obj,$(SHIM_SRC) $(JEMALLOC_ONLY_SRC) $(TOOL_SRC))  ## so do calls inside a folder
	$(Q)scripts/check-circles $(OUT) $^
check-shim: $(SHIM) $(SHIM_JEMALLOC)  ## imports, exports and linking of the shim
	$(Q)$(if $(filter release debug,$(VARIANT)),scripts/check-shim $(SHIM) preload/imports.list)
	$(Q)$(if $(filter release debug,$(VARIANT)),scripts/check-shim $(SHIM_JEMALLOC) \
		preload/imports.list preload/imports-jemalloc.list)
	$(Q)$(if $(filter release debug,$(VARIANT)),scripts/check-signal-safe $(call obj,$(SIGNAL_SAFE_SRC)))
check-modules: $(TOOL)            ## labelled frames through `fpmscope module`
	$(Q)tests/fixtures/module-cases/score.py $(TOOL)
check-leak: $(TOOL)               ## labelled and clean traces through `fpmscope analyze`
	$(Q)scripts/check-leak $(TOOL)
check-format:
	$(Q)$(CLANG_FORMAT) --dry-run -Werror $(SOURCES) $(HEADERS)
format:                           ## rewrite sources in house format
	$(Q)$(CLANG_FORMAT) -i $(SOURCES) $(HEADERS)
TIDY_CHECKS := -*,bugprone-*,performance-*,portability-*,-bugprone-easily-swappable-parameters,-bugprone-assignment-in-if-condition,-bugprone-narrowing-conversions,-bugprone-reserved-identifier,-bugprone-branch-clone,-performance-no-int-to-ptr,-bugprone-implicit-widening-of-multiplication-result,-bugprone-macro-parentheses,-bugprone-not-null-terminated-result,-bugprone-integer-division,-bugprone-sizeof-expression,-bugprone-suspicious-include
check-captures: $(TOOL)           ## labelled 5xx captures through `fpmscope 502`
	$(Q)scripts/check-captures $(TOOL)
tidy: compile_commands.json       ## clang-tidy and cppcheck
	$(Q)printf '%s\n' $(SHIM_SRC) $(TOOL_SRC) $(MAIN_SRC) | xargs -P $(JOBS) -n 4 \
		$(CLANG_TIDY) -quiet -p . --checks='$(TIDY_CHECKS)' --warnings-as-errors='*' --extra-arg=-Wno-unknown-attributes 2>/dev/null
	$(Q)cppcheck --quiet -j $(JOBS) --project=compile_commands.json --enable=warning,portability \
		-itests -D__x86_64__ --inline-suppr --suppress='*:/usr/*' --suppress=uninitvar --suppress=unknownEvaluationOrder \
		--suppress=nullPointerArithmeticRedundantCheck --error-exitcode=1
analyze: tidy fanalyzer           ## tidy and fanalyzer (slow)
fanalyzer:                        ## gcc's -fanalyzer over the shim and the tool
	$(Q)$(MAKE) OUT=build/analyze CFLAGS="$(CFLAGS) -fanalyzer" WERROR=1 build/analyze/fpmscope \
		build/analyze/libfpmscope.so
compile_commands.json: $(call obj,$(SOURCES)) ## for editors and clang-tidy
	$(Q)(echo '['; cat $(addsuffix .json,$^) | sed '$$ s/,$$//'; echo ']') >$@
quick: all test check-headers check-layers check-circles check-shim check-format  ## the gates that take seconds
ready:                            ## install what is missing, when something is
	@scripts/setup --check 2>/dev/null || scripts/setup
# One step after the other: each uses both cores by itself, and the output stays readable.
check: ready                      ## what a commit must pass, in this order
	$(Q)$(MAKE) -j $(JOBS) WERROR=1 quick
	$(Q)$(MAKE) -j $(JOBS) WERROR=1 asan
	$(Q)$(MAKE) -j $(JOBS) fuzz FUZZ_S=3
	$(Q)$(MAKE) WERROR=1 tidy
	$(Q)$(MAKE) scores
	$(Q)$(MAKE) e2e
scores: check-modules check-leak  ## labelled corpora, scored; a miss fails
.PHONY: ready scores analyze fanalyzer check-leak

# --- install --------------------------------------------------------------------------------
.PHONY: install clean help quick
install: all                      ## honours DESTDIR, prefix (or PREFIX), BINDIR, LIBDIR
	install -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(BINDIR)
	install -m 0755 $(SHIM) $(SHIM_JEMALLOC) $(DESTDIR)$(LIBDIR)/
	install -m 0755 $(TOOL) $(DESTDIR)$(BINDIR)/
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|@BINDIR@|$(BINDIR)|' scripts/fpmscope.service >$(DESTDIR)$(UNITDIR)/fpmscope.service
clean:                            ## remove everything made
	rm -rf build compile_commands.json
help:                             ## this list
	@sed -n 's/^\([a-z0-9. -]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t24
