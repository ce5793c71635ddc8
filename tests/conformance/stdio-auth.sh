#!/usr/bin/env bash
# The auth scenarios of the official MCP conformance suite, with the bridge doing the OAuth and a client behind it that speaks stdio and knows nothing of OAuth.
#
#   tests/conformance/stdio-auth.sh [--only PATTERN] [-- COMMAND…]
#
# COMMAND… starts the bridge, for example: artifacts/native/mcpproxyfast stdio; default: the built command.
# Last line: `N passed, N failed`. Exit code 0: every scenario passed. Results lie in $CONFORMANCE_FOLDER/results.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${CONFORMANCE_FOLDER:-$here/node_modules/.conformance-stdio}

only=
if [ "${1:-}" = --only ]; then
  only=$2
  shift 2
fi
[ "${1:-}" = -- ] && shift
if [ $# -eq 0 ]; then
  dotnet build "$here/../../src/Cli" -c Release -v q --nologo >&2
  set -- dotnet "$here/../../src/Cli/bin/Release/net10.0/mcpproxyfast.dll" stdio
fi

mkdir -p "$folder"
node=$("$here/install.sh")
exec "$node" "$here/auth.mjs" "$folder" stdio-client.mjs "$only" "$@"
