#!/usr/bin/env bash
# Runs the official conformance suite in server mode twice against one good server, directly and through a proxy, for both
# revisions, and compares check by check: any difference is the proxy's.
#
#   tests/conformance/server.sh [COMMAND...]
#
# COMMAND is a proxy that takes `--target-uri URL --port 0` and says `on port N` on stdout; default: the built command.
# Last line: `N passed, N failed`. Exit code 0 without a difference.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -eq 0 ]; then
    dotnet build "$here/../../src/Cli" -c Release -v q --nologo >&2
    set -- dotnet "$here/../../src/Cli/bin/Release/net10.0/mcpproxyfast.dll" proxy conformance
fi

node=$("$here/install.sh")
suite=$here/node_modules/@modelcontextprotocol/conformance/dist/index.js
work=$(mktemp -d)
pids=()
cleanup() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2> /dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT

# port FILE PATTERN: waits until a process has said which port it listens on.
port() {
    for _ in $(seq 300); do
        if found=$(grep -m 1 -oE "$2 [0-9]+" "$1"); then
            echo "${found##* }"
            return
        fi
        sleep 0.1
    done
    echo "nothing in $1 after 30 s:" >&2
    cat "$1" >&2
    return 1
}

"$node" "$here/upstream.mjs" > "$work/upstream.log" 2>&1 &
pids+=($!)
direct=http://127.0.0.1:$(port "$work/upstream.log" 'listening on')/mcp

"$@" --target-uri "$direct" --port 0 > "$work/proxy.log" 2> "$work/proxy.err" &
pids+=($!)
proxied=http://127.0.0.1:$(port "$work/proxy.log" 'on port')/mcp

for revision in 2025-11-25 2026-07-28; do
    for leg in direct proxied; do
        # The suite's own exit code says whether the server is good; what counts here is whether both legs agree.
        "$node" "$suite" server --url "${!leg}" --requirements "$revision" -o "$work/$revision/$leg" > "$work/$revision-$leg.log" 2>&1 || true
    done
done
"$node" "$here/compare.mjs" "$work"/2*/
