#!/bin/bash
# versions.sh MAJOR...: the suite against other versions of PostgreSQL, each in
# a chroot with the release of Debian that has it.
#
# What is built and tested is a copy of the sources.  A run has namespaces of
# its own for mounts and processes: whatever way it ends, both end with it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
# shellcheck source=debian.sh
. "$here/debian.sh"

suite_of() {
	case $1 in
	17) echo trixie ;;
	18) echo forky ;;
	*) echo "no release of Debian is known to have PostgreSQL $1" >&2; exit 2 ;;
	esac
}

packages_of() {
	echo gcc libc6-dev make libpq-dev libcurl4-openssl-dev libssl-dev libjansson-dev \
		zlib1g-dev libzstd-dev "postgresql-$1" "postgresql-$1-cron" openssl nodejs \
		pgbouncer python3-boto3 python3-psycopg python3-pytest python3-pytest-xdist \
		python3-zstandard zstd |
		tr ' ' ,
}

# Make the chroot of a major, unless it is there and made of the same.  The
# server's headers are unpacked, not installed: their package asks for an LLVM
# toolchain of 600 MB, for bitcode that nobody makes here.
make_version() {
	local major=$1 suite packages
	suite=$(suite_of "$major")
	packages=$(packages_of "$major")
	export MADE_OF="$suite $packages" DEV=postgresql-server-dev-$major
	[ "$MADE_OF" != "$(cat "$cache/postgresql-$major/made-of" 2>/dev/null)" ] || return 0
	echo "== making a chroot with PostgreSQL $major ($suite; a minute or two)"
	# shellcheck disable=SC2016 # for the shell of mmdebstrap to expand
	make_chroot "postgresql-$major" "$suite" "$packages" --customize-hook='
		cd "$1/tmp"
		APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -q download "$DEV"
		dpkg-deb -x "$DEV"_*.deb "$1"
		rm "$DEV"_*.deb
		echo "$MADE_OF" >"$1/made-of"'
}

copy_sources() {
	tar -C "$top" --exclude-vcs --exclude='*.o' --exclude='*.so' --exclude=./results --exclude=./test/fuzz/build \
		--exclude=./test/node_modules -cf - . | tar -C "$1" -xf -
}

# older_server MAJOR ROOT DIR: a server older than MAJOR that this machine has and
# extensions can be built for, with ours, as if DIR were /; in DIR/libs those of
# its libraries that are not in chroot ROOT.  Nothing if there is none.
older_server() {
	local major=$1 root=$2 dir=$3 config server share lib
	mkdir -p "$dir/libs" "$dir/build"
	config=$(older_config "$major")
	[ -n "$config" ] || return 0
	server=${config%/bin/*} share=$("$config" --sharedir)
	tar -C / -cf - "${server#/}" "${share#/}" | tar -C "$dir" -xf -
	copy_sources "$dir/build"
	make --silent -j2 -C "$dir/build" install PG_CONFIG="$config" DESTDIR="$dir" >"$log" 2>&1 ||
		{ cat "$log" >&2; exit 1; }
	for lib in $(ldd "$("$config" --bindir)/postgres" "$dir$("$config" --pkglibdir)/tracking_fdw.so" |
		awk '$3 ~ /^\// { print $3 }' | sort -u); do
		[ -e "$root$lib" ] || cp -L "$lib" "$dir/libs"
	done
}

older_config() {
	local config
	for config in /usr/lib/postgresql/1[5-9]/bin/pg_config; do
		[ -x "$config" ] && [ "$(basename "${config%/bin/*}")" -lt "$1" ] &&
			[ -f "$("$config" --pgxs)" ] && { echo "$config"; break; }
	done
	return 0
}

# The lines of a run's log that count.
counts() {
	sed -nE 's/^[# ]*All ([0-9]+) tests passed.*/pg_regress \1 passed, /p
		s/^[# ]*([0-9]+ of [0-9]+) tests failed.*/pg_regress \1 failed, /p
		s/^=*([0-9 ]+(passed|failed|skipped|error).*) in [0-9.]+s.*/pytest \1, /p' "$1" |
		tr -d '\n'
}

# End a run that is under way, and forget its files.
end_run() {
	trap '' HUP INT TERM
	if [ -n "$pid" ]; then
		# the first process of its namespace takes the others along
		kill -9 $(cat "/proc/$pid/task/$pid/children" 2>/dev/null) 2>/dev/null || true
		wait "$pid" || true
	fi
	rm -rf --one-file-system "$work"
}

# Run the suite; write one line about it to file $2.
run_version() {
	local major=$1 results=$2 begin=$SECONDS status=0 version
	lock_cache "postgresql-$major"
	make_version "$major"
	root=$cache/postgresql-$major
	version=$(chroot "$root" "/usr/lib/postgresql/$major/bin/pg_config" --version)
	echo "== $version"

	work=$(mktemp -d) pid=
	trap end_run EXIT
	trap 'exit 1' HUP INT TERM
	chmod 755 "$work"
	mkdir "$work/sources"
	mkdir -m 1777 "$work/tmp"
	touch "$work/log"
	copy_sources "$work/sources"
	older_server "$major" "$root" "$work/older"
	set -m				# without, it would ignore interrupts
	unshare --mount --propagation private --pid --fork --kill-child \
		"$here/versions_inside.sh" "$root" "$work" "$here/node_modules" \
		"$cache/moto-trixie" "PYTEST=-rs -W ignore::DeprecationWarning ${PYTEST:-}" \
		PG_CONFIG="/usr/lib/postgresql/$major/bin/pg_config" &
	pid=$!
	wait "$pid" || status=$?
	pid=
	cat "$work/sources/regression.diffs" 2>/dev/null || true
	echo "$version: $(counts "$work/log")$((SECONDS - begin)) s" >>"$results"
	return "$status"
}

[ $# -gt 0 ] || { echo "usage: $0 MAJOR..." >&2; exit 2; }
for major in "$@"; do
	suite_of "$major" >/dev/null
done
results=$(mktemp)
trap 'rm -f "$log" "$results"' EXIT
trap 'kill "$run"; wait "$run" || true; exit 1' HUP INT TERM
passed=0
for major in "$@"; do
	(run_version "$major" "$results") &
	run=$!
	! wait "$run" || passed=$((passed + 1))
done
cat "$results"
echo "test-versions: $passed of $# versions passed"
[ "$passed" = $# ]
