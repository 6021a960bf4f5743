#!/bin/sh
# Runs an end-to-end suite, a folder of e2e/src, or of it what begins with a name:
# sh tools/e2e.sh estates [lease] [options of jest]
set -eu
cd "$(dirname "$0")/../e2e"
suite=${1:?which suite? one of: $(ls src)}
shift
pattern="src/$suite/"
case ${1-} in
'' | -*) ;;
*)
  pattern=$pattern$1
  shift
  ;;
esac
export NODE_OPTIONS='--experimental-vm-modules --disable-warning=ExperimentalWarning --conditions=@tagplane/source'
exec jest --config jest.e2e.config.mjs --runInBand "$pattern" "$@"
