#!/bin/sh
# Every check that a change must pass: formatting, protocol, lint, types, unit, contract and end-to-end
# tests. `sh tools/bootstrap.sh test` goes before it (`npm test` does both).
set -eu
cd "$(dirname "$0")/.."
export NX_DAEMON=false NX_ISOLATE_PLUGINS=false

step() { printf '\n== %s\n' "$*"; }

step 'formatting'
prettier --check --log-level warn .

step 'protocol: lint, breaking changes, generated code'
buf lint
# Against the protocol as it was before the last commit that changed it.
before=$(git log -2 --format=%H -- proto 2>/dev/null | sed -n 2p)
if [ -n "$before" ]; then
  buf breaking --against ".git#ref=$before"
else
  echo 'no earlier protocol to compare with'
fi
generated=$(mktemp -d)
linted=$(mktemp)
trap 'rm -rf "$generated" "$linted"' EXIT
buf generate -o "$generated"
diff -r "$generated/libs/protocol/src/gen" libs/protocol/src/gen || {
  echo 'libs/protocol/src/gen is not what buf generate makes now: run it' >&2
  exit 1
}

step 'project references'
nx sync:check

step 'lint, types, unit and contract tests'
# One process for all: one for each project reads the same types anew, and takes nearly three times the CPU.
eslint apps libs tools e2e >"$linted" 2>&1 &
lint=$!
# The longest first: none of them is to run alone at the end.
nx run-many -t test --projects=@tagplane/auth,@tagplane/agent,@tagplane/tagctl --parallel=2 --output-style=static
nx run-many -t typecheck test --parallel=2 --output-style=static
wait "$lint" || {
  cat "$linted" >&2
  exit 1
}

step 'end to end'
sh tools/e2e.sh smoke

step 'a running auth service under attack'
sh tools/e2e.sh security
