#!/bin/bash
# setup.sh demo|bench|test: what one of these needs on this machine.
#
# Debian packages, the Kinesis servers pinned in package-lock.json, and for the
# tests a moto server in a chroot (the only one that verifies signatures).  As
# root whatever is missing is installed; another user is told what it is.
# Nothing is asked of the network when everything is there.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${TRACKING_FDW_CACHE:-${XDG_CACHE_HOME:-/var/cache}/tracking_fdw}
moto=$cache/moto-trixie

packages() {
	local pg=15
	echo postgresql-$pg postgresql-server-dev-$pg
	echo libcurl4-openssl-dev libssl-dev libjansson-dev zlib1g-dev libzstd-dev
	echo gcc libc6-dev make ca-certificates python3
	[ "$1" != bench ] || { echo openssl python3-psycopg; return; }
	command -v node >/dev/null || echo nodejs
	command -v npm >/dev/null || echo npm
	[ "$1" = demo ] || {
		echo clang openssl python3-boto3 python3-psycopg python3-pytest python3-zstandard
		[ "$(id -u)" != 0 ] || echo mmdebstrap
	}
}

# Print those of the packages named that are not installed.
missing() {
	local package
	for package in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			echo "$package"
	done
}

install_packages() {
	local wanted
	# shellcheck disable=SC2046 # one word a package
	wanted=$(missing $(packages "$1") | tr '\n' ' ')
	[ -n "$wanted" ] || return 0

	if [ "$(id -u)" != 0 ]; then
		cat >&2 <<-MISSING
			Missing Debian packages: $wanted
			Install them, then run "make $1" again:

			    sudo apt-get install --no-install-recommends $wanted
		MISSING
		exit 1
	fi
	echo "== installing $wanted"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $wanted >"$log" 2>&1 ||
		{ cat "$log" >&2; exit 1; }
}

install_servers() {
	cmp -s "$here/package-lock.json" "$here/node_modules/.installed" && return
	echo "== installing the Kinesis servers from npm"
	(cd "$here" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error) >"$log" 2>&1 ||
		{ cat "$log" >&2; exit 1; }
	cp "$here/package-lock.json" "$here/node_modules/.installed"
}

# bookworm has no moto: take trixie's, from the mirror that apt uses here.
install_moto() {
	[ -x "$moto/usr/bin/moto_server" ] && return
	[ "$(id -u)" = 0 ] || return 0
	echo "== making a chroot with moto (half a minute)"
	mkdir -p "$cache"
	rm -rf --one-file-system "$moto.new"
	mmdebstrap --mode=root --variant=minbase --quiet \
		--include=python3-moto,python3-flask,python3-flask-cors \
		--aptopt='APT::Install-Recommends "false"' \
		trixie "$moto.new" "$(debian_mirror)" >"$log" 2>&1 ||
		{ cat "$log" >&2; exit 1; }
	mv "$moto.new" "$moto"
}

# The first archive that apt has for a suite of Debian itself.
debian_mirror() {
	apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
		awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }'
}

case ${1:-} in
demo | bench | test) ;;
*) echo "usage: $0 demo|bench|test" >&2; exit 2 ;;
esac
log=$(mktemp)
trap 'rm -f "$log"' EXIT

install_packages "$1"
[ "$1" = bench ] || install_servers
[ "$1" != test ] || install_moto
