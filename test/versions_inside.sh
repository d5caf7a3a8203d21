#!/bin/bash
# versions_inside.sh ROOT WORK NODE_MODULES MOTO VARIABLE...: build and test in
# a chroot what is in WORK/sources, with WORK/tmp as /tmp; the log is WORK/log.
#
# To be the first process of namespaces of its own: mounts are not undone, and
# orphans are this shell's to reap.
set -euo pipefail

root=$1 work=$2 node_modules=$3 moto=$4
shift 4

bind() {
	mkdir -p "$2"
	mount --bind "$1" "$2"
}

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
bind "$work/tmp" "$root/tmp"
bind "$work/sources" "$root/tracking_fdw"
bind "$node_modules" "$root/tracking_fdw/test/node_modules"
bind "$moto" "$root/var/cache/tracking_fdw/moto-trixie"

# the server that is upgraded from
bind "$work/older/libs" "$root/usr/local/lib/older"
for each in "$work"/older/usr/{lib,share}/postgresql/*; do
	[ ! -d "$each" ] || bind "$each" "$root${each#"$work/older"}"
done

# shellcheck disable=SC2016 # for the shell there to expand
chroot "$root" env -i --chdir=/tracking_fdw HOME=/root LANG=C.UTF-8 \
	PATH=/usr/sbin:/usr/bin:/sbin:/bin LD_LIBRARY_PATH=/usr/local/lib/older "$@" sh -c '
	make --no-print-directory test-install &&
		make --no-print-directory -k test-regress test-pytest' 2>&1 | tee "$work/log"
