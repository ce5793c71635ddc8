#!/usr/bin/env bash
# The settings that README.md gives for MCP clients, tried in the clients that npm has, at server-everything. None needs an account.
#
#   tests/stdio-clients/readme.sh [COMMAND…]
#
# COMMAND… takes a verb, for example artifacts/native/mcpproxyfast; default: the built command. Needs node and npm, and about 2 GB of disk below /tmp for the clients.
# Last line: `N passed, N failed`. Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -eq 0 ]; then
  dotnet build "$here/../../src/Cli" -c Release -v q --nologo >&2
  set -- dotnet "$here/../../src/Cli/bin/Release/net10.0/mcpproxyfast.dll"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
{
  echo '#!/bin/sh'
  printf 'exec'
  for word in "$@"; do
    [ ! -e "$word" ] || word=$(realpath "$word")
    printf " '%s'" "$word"
  done
  echo ' "$@"'
} > "$work/bin/mcpproxyfast"
chmod +x "$work/bin/mcpproxyfast"

(
  cd "$work"
  npm init -y >/dev/null
  npm install --no-package-lock --no-audit --no-fund --loglevel=error @modelcontextprotocol/server-everything@2026.8.31 \
    @anthropic-ai/claude-code @openai/codex @google/gemini-cli @qwen-code/qwen-code opencode-ai mcporter >&2
)
PATH="$work/bin:$work/node_modules/.bin:$PATH" node "$here/readme.mjs" "$work"
