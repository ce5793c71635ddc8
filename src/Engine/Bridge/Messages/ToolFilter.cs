using System.Buffers;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Tools that a client is not to see: they are cut out of answers to <c>tools/list</c>; every other byte stays as it came.</summary>
internal sealed class ToolFilter
{
    /// <summary>Names of tools, in which <c>*</c> stands for any run of characters and <c>?</c> for one.</summary>
    private readonly string[] _globs;

    /// <param name="globs">Names of tools, in which <c>*</c> stands for any run of characters and <c>?</c> for one. Case counts.</param>
    public ToolFilter(IEnumerable<string> globs) => _globs = [.. globs];

    /// <summary>Whether a tool is not to be seen, and not to be called.</summary>
    public bool Ignores(string tool) => Array.Exists(_globs, glob => Matches(glob, tool));

    /// <summary>Cuts tools out of an answer to <c>tools/list</c>.</summary>
    /// <param name="answer">A response that has been scanned.</param>
    /// <returns>The same where nothing is to be cut out.</returns>
    public ReadOnlySequence<byte> Apply(in ReadOnlySequence<byte> answer)
    {
        if (_globs.Length == 0 || FindTools(answer) is not { } tools)
        {
            return answer;
        }

        List<(long Start, long End)> cuts = Cuts(answer, tools);
        if (cuts.Count == 0)
        {
            return answer;
        }

        var left = new ArrayBufferWriter<byte>((int)answer.Length);
        long from = 0;
        foreach ((long start, long end) in cuts)
        {
            Copy(answer.Slice(from, start - from), left);
            from = end;
        }

        Copy(answer.Slice(from), left);
        return new ReadOnlySequence<byte>(left.WrittenMemory);
    }

    /// <summary>Where <c>result.tools</c> starts; null where there is no such array.</summary>
    private static long? FindTools(in ReadOnlySequence<byte> answer)
    {
        var json = new Utf8JsonReader(answer, MessageScanner.Options);
        json.Read();
        return StandsIn(ref json, "result"u8) && json.TokenType is JsonTokenType.StartObject
            && StandsIn(ref json, "tools"u8) && json.TokenType is JsonTokenType.StartArray
            ? json.TokenStartIndex
            : null;
    }

    /// <summary>Goes to the value of a member of the object that the reader stands on.</summary>
    private static bool StandsIn(ref Utf8JsonReader json, ReadOnlySpan<byte> name)
    {
        while (json.Read() && json.TokenType is JsonTokenType.PropertyName)
        {
            bool isIt = JsonSlice.Is(ref json, name);
            json.Read();
            if (isIt)
            {
                return true;
            }

            json.Skip();
        }

        return false;
    }

    /// <summary>What is cut out: each tool with the comma before it, or behind it where all before it are cut out too.</summary>
    private List<(long Start, long End)> Cuts(in ReadOnlySequence<byte> answer, long array)
    {
        var cuts = new List<(long, long)>();
        var json = new Utf8JsonReader(answer.Slice(array), MessageScanner.Options);
        json.Read();
        bool isAnyKept = false;
        long end = 0;
        long? leading = null; // where the tools start that are cut out before any is kept
        while (json.Read() && json.TokenType is not JsonTokenType.EndArray)
        {
            long start = array + json.TokenStartIndex;
            json.Skip();
            bool isIgnored = NameOf(answer.Slice(start, array + json.BytesConsumed - start)) is { } name && Ignores(name);
            if (isIgnored && isAnyKept)
            {
                cuts.Add((end, array + json.BytesConsumed));
            }
            else if (isIgnored)
            {
                leading ??= start;
            }
            else if (!isAnyKept)
            {
                isAnyKept = true;
                AddLeading(cuts, leading, start);
            }

            end = array + json.BytesConsumed;
        }

        if (!isAnyKept)
        {
            AddLeading(cuts, leading, end);
        }

        return cuts;
    }

    private static void AddLeading(List<(long Start, long End)> cuts, long? leading, long end)
    {
        if (leading is { } start)
        {
            cuts.Add((start, end));
        }
    }

    private static string? NameOf(in ReadOnlySequence<byte> tool) => JsonSlice.Find(tool, "name"u8)?.Text;

    private static void Copy(in ReadOnlySequence<byte> slice, ArrayBufferWriter<byte> output)
    {
        foreach (ReadOnlyMemory<byte> piece in slice)
        {
            output.Write(piece.Span);
        }
    }

    /// <summary>Compares with a glob in time that is at most the product of both lengths: it goes back to the last <c>*</c> alone.</summary>
    private static bool Matches(ReadOnlySpan<char> glob, ReadOnlySpan<char> name)
    {
        int at = 0;
        int star = -1;
        int resume = 0;
        int read = 0;
        while (read < name.Length)
        {
            if (at < glob.Length && glob[at] == '*')
            {
                star = at++;
                resume = read;
            }
            else if (at < glob.Length && (glob[at] == '?' || glob[at] == name[read]))
            {
                at++;
                read++;
            }
            else if (star >= 0)
            {
                at = star + 1;
                read = ++resume;
            }
            else
            {
                return false;
            }
        }

        return glob[at..].TrimStart('*').IsEmpty;
    }
}
