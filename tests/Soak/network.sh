#!/usr/bin/env bash
# The command in a network namespace of its own, with a name server that is slow or fails and an address that swallows everything. Needs root, Linux and iproute2.
#
#   tests/Soak/network.sh COMMAND [--minutes N]
#
# COMMAND is the native file or mcpproxyfast.dll; default of N: 1. Last line: `N passed, N failed`. Exit code 0: all passed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '4p' "$0" >&2; exit 2; }
command=$(realpath "$1")
shift
dotnet build "$here" -c Release -v q --nologo >&2
resolver=$(mktemp)
trap 'rm -f "$resolver"' EXIT
printf 'nameserver 127.0.0.1\noptions timeout:3 attempts:1\n' > "$resolver"
unshare --net --mount bash -euo pipefail -c '
    ip link set lo up
    # Two ends of a cable: what is sent to the neighbour goes out at one and is for nobody at the other.
    ip link add near type veth peer name far
    ip address add fd99::1/64 dev near nodad
    ip link set near up
    ip link set far up
    ip neighbour add fd99::9 lladdr 02:00:00:00:00:09 dev near nud permanent
    mount --bind "$1" /etc/resolv.conf
    shift
    exec "$@"
' - "$resolver" dotnet "$here/bin/Release/net10.0/McpProxyFast.Soak.dll" --network "$command" "$@"
