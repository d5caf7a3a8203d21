#!/bin/bash
# run.sh [PYTEST-ARGUMENT...]: the suite with a server whose extension is built
# with the sanitizers of addresses and of undefined behaviour.  Whatever they
# report is a failure, and is printed.
#
# The server, and these sources, are copied to a temporary directory: PostgreSQL
# finds its files by where its program is.  No test is changed, and what is
# installed stays as it is.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
: "${PG_CONFIG:=pg_config}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
tree=$work/tree
bindir=$work$("$PG_CONFIG" --bindir | sed s,^/usr,,)
reports=$work/reports
# with them gcc takes ways through a function for possible that are not
flags='-O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -Wno-clobbered -Wno-maybe-uninitialized'

# What takes its time by the clock, or by what the memory or the processor is
# used for; the demo and the bench, which bring servers of their own.
left_out=(test_bench.py test_cron.py test_demo.py test_memory.py)

# Copy a directory of the server's to where it is beneath the other root.
copy_directory() {
	local to=$work${1#/usr}
	mkdir -p "$(dirname "$to")"
	cp -a "$1" "$to"
}

copy_server() {
	local what
	for what in --bindir --pkglibdir --sharedir; do
		copy_directory "$("$PG_CONFIG" "$what")"
	done
	ln -s /usr/include "$work/include"
	ln -s "$("$PG_CONFIG" --libdir)" "$work/lib/"
}

# The server with the runtime of the sanitizer before it, except when initdb
# runs it: then it loads no extension, and is slow for nothing.
wrap_server() {
	mv "$bindir/postgres" "$bindir/postgres.real"
	mkdir -m 1777 "$reports"
	cat >"$bindir/postgres" <<-WRAPPER
		#!/bin/sh
		case " \$* " in
		*' --boot '* | *' --check '* | *' --single '* | *' -V '* | *' --version '*) ;;
		*)
			export LD_PRELOAD='$(gcc -print-file-name=libasan.so) $work/guard.so'
			export ASAN_OPTIONS='log_path=$reports/address:abort_on_error=1:detect_leaks=0:detect_stack_use_after_return=1:allocator_may_return_null=1:quarantine_size_mb=32:malloc_context_size=12'
			export UBSAN_OPTIONS='log_path=$reports/behaviour:abort_on_error=1:print_stacktrace=1'
			;;
		esac
		exec $bindir/postgres.real "\$@"
	WRAPPER
	chmod 755 "$bindir/postgres"
}

copy_sources() {
	mkdir "$tree"
	tar -C "$top" --exclude=.git --exclude=node_modules --exclude=build --exclude='*.o' \
		--exclude='*.so' --exclude='*.bc' -cf - . | tar -C "$tree" -xf -
	ln -s "$top/test/node_modules" "$tree/test/node_modules"
}

# The guard itself is not instrumented.
build() {
	gcc -O1 -g -fPIC -shared -Wl,-z,initfirst -D_GNU_SOURCE -I"$("$PG_CONFIG" --includedir-server)" \
		-o "$work/guard.so" "$top/test/sanitize/guard.c" "$top/test/sanitize/preload.c"
	local module
	for module in "$tree" "$tree/test/unit"; do
		make -s -C "$module" all install COPT="$flags -U_FORTIFY_SOURCE" >"$work/log" 2>&1 ||
			{ cat "$work/log" >&2; exit 1; }
	done
}

copy_server
export PG_CONFIG=$bindir/pg_config
wrap_server
copy_sources
build

cd "$tree/test"
export TRACKING_FDW_SANITIZED=1
failed=0
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=. /usr/bin/python3 -m harness.cluster \
	make -s -C "$tree" installcheck || failed=1
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -q --tb=short \
	"${left_out[@]/#/--ignore=}" "$@" || failed=1
for report in "$reports"/*; do
	[ -e "$report" ] || continue
	echo "== $report"
	cat "$report"
	failed=1
done
exit $failed
