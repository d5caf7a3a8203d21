#!/bin/bash
# setup.sh demo|bench|test|versions: what one of these needs on this machine.
#
# Debian packages, the Kinesis servers pinned in package-lock.json, and for the
# tests a moto server in a chroot (the only one that verifies signatures).  As
# root whatever is missing is installed; another user is told what it is.
# Nothing is asked of the network when everything is there.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=debian.sh
. "$here/debian.sh"

packages() {
	local pg=15
	[ "$1" != versions ] || {
		echo ca-certificates mmdebstrap
		command -v npm >/dev/null || echo npm
		return
	}
	echo postgresql-$pg postgresql-server-dev-$pg
	echo libcurl4-openssl-dev libssl-dev libjansson-dev zlib1g-dev libzstd-dev
	echo gcc libc6-dev make ca-certificates python3
	[ "$1" != bench ] || { echo openssl python3-psycopg; return; }
	command -v node >/dev/null || echo nodejs
	command -v npm >/dev/null || echo npm
	[ "$1" = demo ] || {
		echo clang libclang-rt-dev openssl pgbouncer python3-boto3 python3-psycopg python3-pytest \
			python3-pytest-xdist python3-zstandard zstd
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
	# shellcheck disable=SC2086
	twice apt_install $wanted
}

install_servers() {
	cmp -s "$here/package-lock.json" "$here/node_modules/.installed" && return
	echo "== installing the Kinesis servers from npm"
	twice npm --prefix "$here" ci --no-audit --no-fund --ignore-scripts --loglevel=error
	cp "$here/package-lock.json" "$here/node_modules/.installed"
}

# bookworm has no moto: take trixie's.
install_moto() {
	has_moto && return
	[ "$(id -u)" = 0 ] || return 0
	lock_cache moto-trixie
	has_moto && return		# somebody else was faster
	echo "== making a chroot with moto (half a minute)"
	make_chroot moto-trixie trixie python3-moto,python3-flask,python3-flask-cors
}

has_moto() {
	[ -x "$cache/moto-trixie/usr/bin/moto_server" ]
}

case ${1:-} in
demo | bench | test) ;;
versions)
	[ "$(id -u)" = 0 ] || { echo "Only root can make the chroots of test-versions." >&2; exit 1; }
	;;
*) echo "usage: $0 demo|bench|test|versions" >&2; exit 2 ;;
esac

install_packages "$1"
[ "$1" = bench ] || install_servers
case $1 in test | versions) install_moto ;; esac
