#!/bin/sh
# Runs an end-to-end suite, a folder of e2e/src: sh tools/e2e.sh smoke [options of jest]
set -eu
cd "$(dirname "$0")/../e2e"
suite=${1:?which suite? one of: $(ls src)}
shift
export NODE_OPTIONS='--experimental-vm-modules --disable-warning=ExperimentalWarning --conditions=@tagplane/source'
exec jest --config jest.e2e.config.mjs --runInBand "src/$suite/" "$@"
