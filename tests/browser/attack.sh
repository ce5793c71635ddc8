#!/usr/bin/env bash
# A page in a real browser (headless Chromium) that attacks proxies on loopback with images, scripts, frames, forms, fetch, beacons, sockets and a rebinding
# name: nothing of it reaches the server behind a proxy, no credential leaves, no sign-in is started, and afterwards a real client is served as before.
#
#   tests/browser/attack.sh [COMMAND…]
#
# COMMAND… takes a verb, for example artifacts/native/mcpproxyfast; default: the built command. CHROMIUM names the browser. Takes 20 s.
# Last line: `N passed, N failed`. Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -eq 0 ]; then
  dotnet build "$here/../../src/Cli" -c Release -v q --nologo >&2
  set -- dotnet "$here/../../src/Cli/bin/Release/net10.0/mcpproxyfast.dll"
fi

exec node "$here/attack.mjs" "$@"
