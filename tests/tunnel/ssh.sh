#!/usr/bin/env bash
# A tunnel through a real OpenSSH server on loopback: a client reaches the protected proxy through it, and is asked for a token; the agent is killed, and
# comes back; with the command, whatever becomes of it, the agent ends.
#
#   tests/tunnel/ssh.sh [COMMAND…]
#
# COMMAND… takes a verb, for example artifacts/native/mcpproxyfast; default: the built command. Needs ssh, sshd, ssh-keygen and curl. Takes 10 s.
# Last line: `N passed, N failed`. Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -eq 0 ]; then
    dotnet build "$here/../../src/Cli" -c Release -v q --nologo >&2
    set -- dotnet "$here/../../src/Cli/bin/Release/net10.0/mcpproxyfast.dll"
fi

work=$(mktemp -d)
server=
command=
finish() {
    [ -z "$command" ] || kill -KILL "$command" 2> /dev/null || true
    [ -z "$server" ] || kill "$server" 2> /dev/null || true
    rm -rf "$work"
}
trap finish EXIT
passed=0
failed=0
check() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $1: expected '$2', got '$3'"
        cat "$work/errors" "$work/sshd.log"
    fi
}
# wait_for COMMAND...: up to 30 s.
wait_for() {
    for _ in $(seq 300); do
        ! "$@" > /dev/null 2>&1 || return 0
        sleep 0.1
    done
    return 1
}

# The server, with keys of its own, for this user alone.
sshd=$(command -v sshd || echo /usr/sbin/sshd)
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
ssh-keygen -q -t ed25519 -N '' -f "$work/user"
cp "$work/user.pub" "$work/authorized"
[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
start_server() {
    cat > "$work/sshd.conf" << END
ListenAddress 127.0.0.1
Port $1
HostKey $work/host
AuthorizedKeysFile $work/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding remote
END
    "$sshd" -D -e -f "$work/sshd.conf" 2>> "$work/sshd.log" &
    server=$!
    wait_for bash -c "grep -q 'Server listening on 127.0.0.1 port $1' '$work/sshd.log' || ! kill -0 $server"
    kill -0 "$server" 2> /dev/null
}
for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000)) # below the ports that the system gives to clients
    ! start_server "$port" || break
done
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$work/host.pub")" > "$work/known"

# The target needs to answer nothing: without a token no request gets so far.
arguments="{\"host\":\"$(id -un)@127.0.0.1\",\"port\":$port,\"identity-file\":\"$work/user\",\"known-hosts-file\":\"$work/known\"}"
"$@" tunnel http://127.0.0.1:9/mcp notes --tunnel-provider ssh --provider-args "$arguments" --oidc-issuer https://login.example.com \
    > "$work/output" 2> "$work/errors" &
command=$!
wait_for grep -q 'public at' "$work/output" || true
url=$(sed -n 's/.* public at //p' "$work/output")
check 'the address of the tunnel' yes "$([[ $url =~ ^http://127\.0\.0\.1:[0-9]+$ ]] && echo yes || echo "$url")"
status() {
    curl -s -o "$work/answer" -D "$work/head" -w '%{http_code}' "$1" || true
}
reaches() {
    [ "$(status "$1")" = "$2" ]
}

check 'health through the tunnel' 200 "$(status "$url/health")"
check 'a request without a token' 401 "$(status "$url/mcp")"
check 'where a token is to be had' 1 "$(grep -ci "resource_metadata=\"$url/.well-known/oauth-protected-resource\"" "$work/head")"
check 'the metadata through the tunnel' 200 "$(status "$url/.well-known/oauth-protected-resource")"
check 'the resource' 1 "$(grep -c "\"resource\":\"$url\"" "$work/answer")"
agent=$(pgrep -P "$command" -x ssh)
check 'secrets among the arguments' 0 "$(tr '\0' '\n' < "/proc/$agent/cmdline" | grep -c 'BEGIN' || true)"

# The agent is killed, and comes back; the server has chosen another port.
kill -KILL "$agent"
wait_for bash -c "[ \$(grep -c 'public at' '$work/output') -ge 2 ]" || true
url=$(sed -n 's/.* public at //p' "$work/output" | tail -n 1)
check 'a request through the tunnel that came back' 401 "$(status "$url/mcp")"
check 'what is said of it' 1 "$(grep -c 'ssh ended with code 137.*it is started again in 1 s' "$work/errors")"

# The command is killed.
agent=$(pgrep -P "$command" -x ssh)
kill -KILL "$command"
wait "$command" 2> /dev/null || true
command=
check 'the agent of a command that was killed' gone "$(wait_for bash -c "! kill -0 $agent" && echo gone || echo alive)"

# A host whose key is not known is not connected to.
: > "$work/known"
"$@" tunnel http://127.0.0.1:9/mcp notes --tunnel-provider ssh --provider-args "$arguments" --oidc-issuer https://login.example.com \
    > "$work/output" 2> "$work/errors" &
command=$!
wait_for grep -q 'Host key verification failed' "$work/errors" || true
check 'a host key that is not known' 1 "$(grep -c -m 1 'ssh ended with code 255: Host key verification failed' "$work/errors" || true)"
kill -TERM "$command"
code=0
wait "$command" || code=$?
command=
check 'the end' 0 "$code"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
