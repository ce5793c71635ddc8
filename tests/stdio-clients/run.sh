#!/usr/bin/env bash
# Clients and a server that no one here wrote, with the command between: the official TypeScript SDK and the npm inspector over stdio, server-everything over Streamable HTTP.
#
#   tests/stdio-clients/run.sh [COMMAND…]
#
# COMMAND… takes a verb, for example artifacts/native/mcpproxyfast; default: the built command. Needs node and npm.
# Last line: `N passed, N failed`. Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -d "$here/node_modules/@modelcontextprotocol/sdk" ] || [ "$here/package.json" -nt "$here/node_modules/.package-lock.json" ]; then
  (cd "$here" && npm install --no-package-lock --no-audit --no-fund --loglevel=error --ignore-scripts >&2)
fi

if [ $# -eq 0 ]; then
  dotnet build "$here/../../src/Cli" -c Release -v q --nologo >&2
  set -- dotnet "$here/../../src/Cli/bin/Release/net10.0/mcpproxyfast.dll"
fi

exec node "$here/run.mjs" "$@"
