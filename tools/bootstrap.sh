#!/bin/sh
# Makes a fresh clone ready: packages when the lock file changed, and for the tests a redis-server.
#   sh tools/bootstrap.sh start | test
# Needs node (any since 20) and npm; the Node that everything then runs on comes with the packages.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'tagplane: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

command -v npm >/dev/null 2>&1 || fail 'npm is needed: install Node.js 20 or newer'

stamp=node_modules/.tagplane-lock
if ! cmp -s package-lock.json "$stamp"; then
  say 'installing packages (npm ci)'
  log=$(mktemp)
  npm ci --no-audit --no-fund --loglevel=error >"$log" 2>&1 || {
    cat "$log" >&2
    rm -f "$log"
    fail 'npm ci failed; is the package registry reachable?'
  }
  rm -f "$log"
  cp package-lock.json "$stamp"
fi

major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 22 ] || fail "Node.js 22 or newer is needed; this is $(node --version)"

if [ "${1:-start}" = test ] && ! command -v redis-server >/dev/null 2>&1; then
  say 'installing redis-server, which the tests start by themselves'
  if [ "$(id -u)" = 0 ]; then as_root=''; else as_root='sudo -n'; fi
  { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq redis-server; } \
    >/dev/null 2>&1 || fail 'redis-server is needed for the tests: install it (Debian: apt-get install redis-server)'
  # The package starts a server of its own on some systems; the tests use none but their own.
fi
