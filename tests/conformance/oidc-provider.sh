#!/usr/bin/env bash
# The command signs in at npm `oidc-provider`, a certified authorization server: every grant that it knows, rotation with reuse
# detection, tokens that really end, restarts, a damaged store, revocation; and it exchanges tokens
# there. A script plays the person with a browser.
#
#   tests/conformance/oidc-provider.sh [--only PATTERN] [COMMAND…]
#
# COMMAND… takes a verb, for example artifacts/native/mcpproxyfast; default: the built command.
# Last line: `N passed, N failed`. Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
only=
if [ "${1:-}" = --only ]; then
  only=$2
  shift 2
fi
if [ $# -eq 0 ]; then
  dotnet build "$here/../../src/Cli" -c Release -v q --nologo >&2
  set -- dotnet "$here/../../src/Cli/bin/Release/net10.0/mcpproxyfast.dll"
fi

node=$("$here/install.sh")
exec "$node" "$here/oidc-provider.mjs" "$only" "$@"
