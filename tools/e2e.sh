#!/bin/sh
# Runs end-to-end suites by name: sh tools/e2e.sh smoke moto faults …
set -eu
cd "$(dirname "$0")/../e2e"
export NODE_OPTIONS='--experimental-vm-modules --disable-warning=ExperimentalWarning --conditions=@tagplane/source'
exec jest --config jest.e2e.config.mjs --runInBand "$@"
