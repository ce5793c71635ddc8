#!/usr/bin/env bash
# The auth scenarios of the official MCP conformance suite, with the proxy doing the OAuth and a client that knows nothing of it behind.
#
#   tests/conformance/auth.sh [--only PATTERN] [-- COMMAND…]
#
# COMMAND… starts the proxy, for example: dotnet run --project src/Cli -- proxy; default: the built command.
# Last line: `N passed, N failed`. Exit code 0: every scenario passed. Results lie in $CONFORMANCE_FOLDER/results.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${CONFORMANCE_FOLDER:-$here/node_modules/.conformance}

only=
if [ "${1:-}" = --only ]; then
  only=$2
  shift 2
fi
[ "${1:-}" = -- ] && shift
if [ $# -eq 0 ]; then
  dotnet build "$here/../../src/Cli" -c Release -v q --nologo >&2
  set -- dotnet "$here/../../src/Cli/bin/Release/net10.0/mcpproxyfast.dll" proxy
fi

mkdir -p "$folder"
node=$("$here/install.sh")
exec "$node" "$here/auth.mjs" "$folder" client.mjs "$only" "$@"
