# Sourced by scripts/demo and scripts/test: builds out of tree, and again only what changed.
# shellcheck shell=sh

# Where to build from: the checkout, or a copy of it where somebody ran ./configure in the checkout
# itself, for one source folder cannot be built both in place and elsewhere.
build_source() { # SOURCE TOP
	if [ ! -e "$1/config.status" ]; then
		printf '%s\n' "$1"
		return
	fi
	mkdir -p "$2/source"
	git -C "$1" -c safe.directory="$1" ls-files -co --exclude-standard >"$2/files" || {
		echo "$1 was configured in place: run make distclean there" >&2
		return 1
	}
	tar -C "$1" -cf - -T "$2/files" | tar -C "$2/source" -xf - || return 1
	printf '%s\n' "$2/source"
}

build() { # SOURCE DIR [configure options]
	build_from=$1
	build_dir=$2
	shift 2
	mkdir -p "$build_dir"
	{
		[ -e "$build_from/configure" ] || (cd "$build_from" && autoreconf -fi)
	} >"$build_dir/build.log" 2>&1 && (
		cd "$build_dir" || exit 1
		if [ ! -e Makefile ] || [ "$(cat configured 2>/dev/null)" != "$build_from $*" ]; then
			"$build_from/configure" -q "$@" || exit 1
			printf '%s' "$build_from $*" >configured
		fi
		make -s -j"$(nproc)" all
	) >>"$build_dir/build.log" 2>&1 || {
		tail -n 40 "$build_dir/build.log" >&2
		echo "roamgate did not build: see $build_dir/build.log" >&2
		return 1
	}
}
