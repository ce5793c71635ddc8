#!/usr/bin/env bash
# The auth scenarios of the official MCP conformance suite, with the proxy doing the OAuth and a client that knows nothing of it behind.
#
#   tests/conformance/auth.sh [--only PATTERN] [-- COMMAND…]
#
# COMMAND… starts the proxy, for example: dotnet run --project src/Cli -- proxy; default: the built command.
# Last line: `N passed, N failed`. Exit code 0: every scenario passed. Results lie in $CONFORMANCE_FOLDER/results.
set -euo pipefail
. "$(dirname "$0")/auth-common.sh"
run_auth .conformance client.mjs proxy "$@"
