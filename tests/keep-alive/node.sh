#!/usr/bin/env bash
# A real node http server, which closes idle connections after 5 s, behind the command; clients that POST at about that distance. None may see a 502.
#
#   tests/keep-alive/node.sh [COMMAND…]
#
# COMMAND… takes a verb, for example artifacts/native/mcpproxyfast; default: the built command. Takes 45 s.
# Last line: `N passed, N failed`. Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -eq 0 ]; then
  dotnet build "$here/../../src/Cli" -c Release -v q --nologo >&2
  set -- dotnet "$here/../../src/Cli/bin/Release/net10.0/mcpproxyfast.dll"
fi

exec node "$here/node.mjs" "$@"
