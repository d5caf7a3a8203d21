# debian.sh: packages and chroots of Debian; sourced by setup.sh and versions.sh.
# What it keeps is in $cache, what the commands said is in $log.

cache=${TRACKING_FDW_CACHE:-${XDG_CACHE_HOME:-/var/cache}/tracking_fdw}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Run a command that wants the network, and once more if it fails: mirrors and
# registries stumble.  The second failure is the end.
twice() {
	"$@" >"$log" 2>&1 && return
	sleep 5
	"$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}

# apt-get, waiting up to ten minutes for one that is already at work.  Its own
# option for that is about dpkg's lock, not about the one of the package lists.
apt() {
	local deadline=$((SECONDS + 600)) said
	said=$(mktemp)
	until LC_ALL=C apt-get -o DPkg::Lock::Timeout=600 "$@" >"$said" 2>&1; do
		if ! grep -q 'Could not get lock' "$said" || ((SECONDS > deadline)); then
			cat "$said" >&2
			rm -f "$said"
			return 1
		fi
		sleep 1
	done
	rm -f "$said"
}

# Install packages.  A file that the mirror no longer has is one of an older
# list, hence the new list at every attempt.
apt_install() {
	apt update -qq && apt install -y -qq --no-install-recommends "$@"
}

# The first archive that apt has for a suite of Debian itself.  Without lists,
# as images come, apt knows of none.
debian_mirror() {
	local mirror
	mirror=$(first_archive)
	[ -n "$mirror" ] || { twice apt update -qq; mirror=$(first_archive); }
	echo "$mirror"
}

first_archive() {
	apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
		awk '$2 == "Debian" && $3 == "Debian" && !n++ { print $1 }'
}

# make_chroot DIR SUITE PACKAGES [OPTION...]: Debian's suite in $cache/DIR, with
# a comma-separated list of packages; options are mmdebstrap's.
make_chroot() {
	local chroot=$cache/$1 suite=$2 packages=$3 mirror
	shift 3
	mirror=$(debian_mirror)
	twice bootstrap "$chroot.new" "$suite" "$packages" "$mirror" "$@"
	rm -rf --one-file-system "$chroot"
	mv "$chroot.new" "$chroot"
}

# A mirror may be a snapshot, whose Release files are past their date.
bootstrap() {
	local chroot=$1 suite=$2 packages=$3 mirror=$4
	shift 4
	rm -rf --one-file-system "$chroot" &&
		mmdebstrap --mode=root --variant=minbase --quiet --include="$packages" \
			--aptopt='APT::Install-Recommends "false"' \
			--aptopt='Acquire::Check-Valid-Until "false"' \
			"$@" "$suite" "$chroot" "$mirror"
}

# Hold the lock of that name until this shell ends or takes another: a chroot is
# made and used by one at a time.
lock_cache() {
	mkdir -p "$cache"
	exec 9>"$cache/$1.lock"
	flock 9
}
