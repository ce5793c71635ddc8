#!/usr/bin/env bash
# Installs what the conformance scripts need into node_modules beside this file (ignored by git), and prints the path of
# the Node 22 that came with it. Does nothing where that is already there.
set -euo pipefail
cd "$(dirname "$0")"
node=$PWD/node_modules/node/bin/node
if [ ! -x "$node" ] || [ package.json -nt node_modules/.package-lock.json ]; then
    # The suite wants Node 22: the package `node` brings it, whatever runs npm. Its install script fetches the binary's package.
    npm install --no-package-lock --no-audit --no-fund --loglevel=error --engine-strict=false >&2
fi
[ "$("$node" --version | cut -d. -f1)" = v22 ] || { echo "node_modules/node is not Node 22" >&2; exit 1; }
echo "$node"
