#!/usr/bin/env bash
# The auth scenarios of the official MCP conformance suite, with the proxy doing the OAuth and a client that knows nothing of it behind.
#
#   tests/conformance/auth.sh [--only PATTERN] -- COMMAND…
#
# COMMAND… starts the proxy, for example: dotnet run --project src/Cli -- proxy
# Exit code 0: every scenario passed. Results lie in $CONFORMANCE_FOLDER/results.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${CONFORMANCE_FOLDER:-$here/node_modules/.conformance}

only=
if [ "${1:-}" = --only ]; then
  only=$2
  shift 2
fi
[ "${1:-}" = -- ] && shift
[ $# -gt 0 ] || { echo "usage: auth.sh [--only PATTERN] -- COMMAND…" >&2; exit 2; }

mkdir -p "$folder"
if [ ! -x "$folder/node_modules/.bin/conformance" ]; then
  # The suite wants Node 22, which the package `node` brings where the system's is older.
  (cd "$folder" && echo '{"private":true}' > package.json && npm install --no-audit --no-fund --silent @modelcontextprotocol/conformance@0.2.0-alpha.12 node@22)
fi

exec "$folder/node_modules/.bin/node" "$here/auth.mjs" "$folder" "$only" "$@"
