# Sourced by auth.sh and stdio-auth.sh: runs the suite's auth scenarios with a command that does the OAuth.

# run_auth FOLDER CLIENT VERB [--only PATTERN] [-- COMMAND…]
#
# FOLDER takes the results unless $CONFORMANCE_FOLDER says otherwise. CLIENT is the MCP client behind the command. VERB is what the built command gets; it is
# used if no COMMAND is given.
run_auth() {
  local here folder client verb only= node
  here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  folder=${CONFORMANCE_FOLDER:-$here/node_modules/$1}
  client=$2
  verb=$3
  shift 3
  if [ "${1:-}" = --only ]; then
    only=$2
    shift 2
  fi
  [ "${1:-}" = -- ] && shift
  if [ $# -eq 0 ]; then
    dotnet build "$here/../../src/Cli" -c Release -v q --nologo >&2
    set -- dotnet "$here/../../src/Cli/bin/Release/net10.0/mcpproxyfast.dll" "$verb"
  fi

  mkdir -p "$folder"
  node=$("$here/install.sh")
  exec "$node" "$here/auth.mjs" "$folder" "$client" "$only" "$@"
}
