#!/bin/bash
# install.sh [DIR]: install what is built in DIR (here: the extension) into
# the PostgreSQL that PG_CONFIG names.  A user who may not write there is told
# what to do, unless the very same is installed already.
set -eu
cd "$(dirname "$0")/../${1:-.}"
pkglibdir=$("${PG_CONFIG:-pg_config}" --pkglibdir)

"${MAKE:-make}" --no-print-directory --silent all
if [ -w "$pkglibdir" ]; then
	"${MAKE:-make}" --no-print-directory --silent install >/dev/null
	exit 0
fi
for module in *.so; do
	cmp -s "$module" "$pkglibdir/$module" || {
		echo "$pkglibdir is not yours to write.  Install, then run this again:" >&2
		printf '\n    sudo make -C %q install\n\n' "$PWD" >&2
		exit 1
	}
done
