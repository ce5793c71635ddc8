#!/bin/sh
# Lets AFL++ choose the inputs of one target by the coverage they reach.
# usage: fuzz/guided.sh TARGET SECONDS        needs: afl-fuzz (Debian: afl++) and the NuGet registry, for SharpFuzz's instrumenter
set -eu
target=$1
seconds=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dotnet publish "$here/Fuzz.csproj" -c Release -o "$work/bin" -v quiet --nologo
dotnet tool install SharpFuzz.CommandLine --version 2.3.0 --tool-path "$work/tool" >/dev/null
"$work/tool/sharpfuzz" "$work/bin/McpProxyFast.Engine.dll"

dictionary=$target
corpus=$target
case $target in
  exchange-streams) dictionary=exchange corpus=exchange ;;
  exchange-*) echo "$target has no timing of its own: nothing to guide" >&2; exit 2 ;;
  request-head | kestrel) dictionary=request ;;
  response-head) dictionary=response ;;
  eras) dictionary=messages ;;
esac

# No core handler and no CPU governor is ours to change here, and .NET is no native binary to look into.
AFL_SKIP_BIN_CHECK=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_SKIP_CPUFREQ=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 \
  afl-fuzz -i "$here/Corpus/$corpus" -o "$work/out" -x "$here/Dictionaries/$dictionary.dict" -V "$seconds" -t 10000 -m none \
  dotnet "$work/bin/McpProxyFast.Fuzz.dll" --target "$target" --input - >"$work/log" || { tail -20 "$work/log"; exit 1; }

grep -E 'execs_done|edges_found|corpus_count|saved_crashes|saved_hangs' "$work/out/default/fuzzer_stats"
mkdir -p fuzz-findings
found=0
for crash in "$work"/out/default/crashes/id* "$work"/out/default/hangs/id*; do
  [ -e "$crash" ] || continue
  cp "$crash" "fuzz-findings/$target-guided-$(sha256sum "$crash" | cut -c1-12)"
  found=1
done
exit $found
