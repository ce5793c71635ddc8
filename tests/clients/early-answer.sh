#!/usr/bin/env bash
# An answer that comes before an upload has ended must be read by the clients that people use: tests/clients/early-answer.sh [COMMAND]
#
# COMMAND is the proxy's command; without one it is run from its source. Each client that is there uploads 20 MiB, of which the proxy takes 8, and has to
# see 413. One that is not there is named. Last line: `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/../.."
command=(dotnet run -c Release --project src/Cli --)
[ $# -eq 0 ] || command=("$@")
work=$(mktemp -d)
head -c $((20 * 1024 * 1024)) /dev/zero > "$work/upload"
passed=0
failed=0

"${command[@]}" proxy early --target-uri http://127.0.0.1:9/mcp --port 0 > "$work/out" 2> "$work/err" &
proxy=$!
trap 'kill "$proxy" 2> /dev/null; wait "$proxy" 2> /dev/null; rm -rf "$work"' EXIT
for _ in $(seq 1800); do # it may have to be built
    port=$(sed -n 's/.* on port \([0-9]*\) .*/\1/p' "$work/out")
    [ -z "$port" ] || break
    kill -0 "$proxy" 2> /dev/null || break
    sleep 0.1
done
if [ -z "${port:-}" ]; then
    cat "$work/err"
    echo "the proxy did not start"
    echo "0 passed, 1 failed"
    exit 1
fi

# expect NAME COMMAND...: the command prints the status that its client saw.
expect() {
    local name=$1 seen
    shift
    seen=$(timeout 60 "$@" 2> "$work/client")
    if [ "$seen" = 413 ]; then
        passed=$((passed + 1))
        echo "$name: 413"
    else
        failed=$((failed + 1))
        echo "$name: '$seen' in place of 413: $(tail -n 1 "$work/client")"
    fi
}

if command -v python3 > /dev/null; then
    expect 'Python http.client' python3 - "$port" "$work/upload" <<'PYTHON'
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
connection.request("POST", "/mcp", body=open(sys.argv[2], "rb").read())
print(connection.getresponse().status)
PYTHON
    if python3 -c 'import requests' 2> /dev/null; then
        expect 'Python requests' python3 - "$port" "$work/upload" <<'PYTHON'
import requests, sys
print(requests.post(f"http://127.0.0.1:{sys.argv[1]}/mcp", data=open(sys.argv[2], "rb").read()).status_code)
PYTHON
    else
        echo 'left out: Python requests is not there'
    fi
else
    echo 'left out: python3 is not there'
fi

if command -v node > /dev/null; then
    expect 'node http' node -e '
        const request = require("http").request(
            { host: "127.0.0.1", port: process.argv[1], path: "/mcp", method: "POST" },
            response => { console.log(response.statusCode); response.resume(); });
        request.end(require("fs").readFileSync(process.argv[2]));' "$port" "$work/upload"
    expect 'node fetch' node -e '
        fetch(`http://127.0.0.1:${process.argv[1]}/mcp`, { method: "POST", body: require("fs").readFileSync(process.argv[2]) })
            .then(response => console.log(response.status));' "$port" "$work/upload"
else
    echo 'left out: node is not there'
fi

if command -v curl > /dev/null; then
    expect 'curl' curl -s -o /dev/null -w '%{http_code}' -H 'Expect:' --data-binary "@$work/upload" "http://127.0.0.1:$port/mcp"
    expect 'curl, slowly' curl -s -o /dev/null -w '%{http_code}' -H 'Expect:' --limit-rate 4M --data-binary "@$work/upload" "http://127.0.0.1:$port/mcp"
else
    echo 'left out: curl is not there'
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
