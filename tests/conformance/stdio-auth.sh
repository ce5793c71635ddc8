#!/usr/bin/env bash
# The auth scenarios of the official MCP conformance suite, with the bridge doing the OAuth and a client behind it that speaks stdio and knows nothing of OAuth.
#
#   tests/conformance/stdio-auth.sh [--only PATTERN] [-- COMMAND…]
#
# COMMAND… starts the bridge, for example: artifacts/native/mcpproxyfast stdio; default: the built command.
# Last line: `N passed, N failed`. Exit code 0: every scenario passed. Results lie in $CONFORMANCE_FOLDER/results.
set -euo pipefail
. "$(dirname "$0")/auth-common.sh"
run_auth .conformance-stdio stdio-client.mjs stdio "$@"
