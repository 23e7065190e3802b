#!/bin/sh
# Installs what the clients of the compatibility tests need, in the versions pinned by
# javascript/package-lock.json, python/requirements.txt, java/pom.xml and kcl/pom.xml, into directories that git
# ignores.
#
#   install.sh [javascript|python|java|kcl]...      default: all
#
# What is already installed in these versions is left alone. Exit code 3: a runtime is missing on this machine;
# standard error names it.
set -eu
cd "$(dirname "$0")"
mkdir -p .cache

missing() {
	echo "$1" >&2
	exit 3
}

# current <name> <file>...: true when <name> was installed from these very files.
current() {
	name=$1
	shift
	[ -f ".cache/$name.installed" ] && [ "$(cksum "$@")" = "$(cat ".cache/$name.installed")" ]
}

# installed <name> <file>...: remembers the files <name> was installed from.
installed() {
	name=$1
	shift
	cksum "$@" >".cache/$name.installed"
}

install_javascript() {
	command -v node >/dev/null && command -v npm >/dev/null ||
		missing "javascript: node and npm are not installed (Node.js 20 or later)"
	[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] ||
		missing "javascript: node $(node -v) is too old (Node.js 20 or later)"
	current javascript javascript/package.json javascript/package-lock.json && [ -d javascript/node_modules ] && return
	(cd javascript && npm ci --no-audit --no-fund --loglevel=error)
	installed javascript javascript/package.json javascript/package-lock.json
}

install_python() {
	command -v python3 >/dev/null || missing "python: python3 is not installed (3.10 or later)"
	python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
		missing "python: $(python3 -V) is too old (3.10 or later)"
	python3 -c 'import venv, ensurepip' 2>/dev/null || missing "python: the venv module is not installed (python3-venv)"
	current python python/requirements.txt && [ -d .cache/python ] && return
	rm -rf .cache/python
	python3 -m venv .cache/python
	.cache/python/bin/pip install --quiet --disable-pip-version-check --requirement python/requirements.txt
	installed python python/requirements.txt
}

# install_maven <directory>: compiles the Maven project there and copies what it depends on beside the classes.
install_maven() {
	command -v javac >/dev/null || missing "$1: no JDK is installed (17 or later)"
	command -v mvn >/dev/null || missing "$1: Maven is not installed"
	javac --release 17 -version >/dev/null 2>&1 || missing "$1: $(javac -version 2>&1) is too old (17 or later)"
	sources="$1/pom.xml $(find "$1/src" -name '*.java' | sort | tr '\n' ' ')"
	# shellcheck disable=SC2086 # a list of paths without spaces
	current "$1" $sources && [ -d ".cache/$1/lib" ] && return
	rm -rf ".cache/$1"
	(cd "$1" && mvn --quiet --batch-mode compiler:compile dependency:copy-dependencies)
	# shellcheck disable=SC2086
	installed "$1" $sources
}

[ $# -gt 0 ] || set -- javascript python java kcl
for client in "$@"; do
	case $client in
	javascript | python) "install_$client" ;;
	java | kcl) install_maven "$client" ;;
	*)
		echo "unknown client $client" >&2
		exit 2
		;;
	esac
done
