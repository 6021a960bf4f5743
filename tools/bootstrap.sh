#!/bin/sh
# Makes a fresh clone ready: packages when the lock file changed, and for the tests the servers they run.
#   sh tools/bootstrap.sh start | test | ssh
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

# need PROGRAM PACKAGE: Debian's package, where the program is not there.
need() {
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 && return
  say "installing $2, whose $1 the tests start by themselves"
  if [ "$(id -u)" = 0 ]; then as_root=''; else as_root='sudo -n'; fi
  { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq "$2"; } \
    >/dev/null 2>&1 || fail "$1 is needed for the tests: install it (Debian: apt-get install $2)"
}

# The packages start servers of their own on some systems; the tests use none but their own.
case "${1:-start}" in
  test) need redis-server redis-server ;;
  ssh)
    need redis-server redis-server
    need ssh openssh-client
    need sshd openssh-server
    ;;
esac
