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
    /// <param name="tool">
    /// Its name; null where that is not a string, or too long to compare. Then the tool counts as hidden if any tool is hidden.
    /// </param>
    public bool Ignores(string? tool) => tool is null ? _globs.Length > 0 : Array.Exists(_globs, glob => Matches(glob, tool));

    /// <summary>Cuts tools out of an answer to <c>tools/list</c>.</summary>
    /// <param name="answer">A response that has been scanned.</param>
    /// <returns>The same where nothing is to be cut out.</returns>
    public ReadOnlySequence<byte> Apply(in ReadOnlySequence<byte> answer) => Apply(answer, "result"u8);

    /// <summary>Cuts tools out of a notification that carries a list of them.</summary>
    /// <param name="notification">A notification that has been scanned.</param>
    /// <returns>The same where nothing is to be cut out.</returns>
    public ReadOnlySequence<byte> ApplyToNotification(in ReadOnlySequence<byte> notification) => Apply(notification, "params"u8);

    private ReadOnlySequence<byte> Apply(in ReadOnlySequence<byte> message, ReadOnlySpan<byte> container)
    {
        if (_globs.Length == 0)
        {
            return message;
        }

        List<(long Start, long End)> cuts = [];
        foreach (long list in FindLists(message, container))
        {
            Cut(message, list, cuts);
        }

        if (cuts.Count == 0)
        {
            return message;
        }

        var left = new ArrayBufferWriter<byte>((int)message.Length);
        long from = 0;
        foreach ((long start, long end) in cuts)
        {
            Copy(message.Slice(from, start - from), left);
            from = end;
        }

        Copy(message.Slice(from), left);
        return new ReadOnlySequence<byte>(left.WrittenMemory);
    }

    /// <summary>Where the arrays start that are the container's <c>tools</c>: of two, readers differ in which they take.</summary>
    private static List<long> FindLists(in ReadOnlySequence<byte> message, ReadOnlySpan<byte> container)
    {
        List<long> lists = [];
        var json = new Utf8JsonReader(message, MessageScanner.Options);
        json.Read();
        if (!StandsIn(ref json, container) || json.TokenType is not JsonTokenType.StartObject)
        {
            return lists;
        }

        while (StandsIn(ref json, "tools"u8))
        {
            if (json.TokenType is JsonTokenType.StartArray)
            {
                lists.Add(json.TokenStartIndex);
            }

            json.Skip();
        }

        return lists;
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
    private void Cut(in ReadOnlySequence<byte> answer, long array, List<(long Start, long End)> cuts)
    {
        var json = new Utf8JsonReader(answer.Slice(array), MessageScanner.Options);
        json.Read();
        bool isAnyKept = false;
        long end = 0;
        long? leading = null; // where the tools start that are cut out before any is kept
        while (json.Read() && json.TokenType is not JsonTokenType.EndArray)
        {
            long start = array + json.TokenStartIndex;
            json.Skip();
            bool isIgnored = IsHidden(answer.Slice(start, array + json.BytesConsumed - start));
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
    }

    private static void AddLeading(List<(long Start, long End)> cuts, long? leading, long end)
    {
        if (leading is { } start)
        {
            cuts.Add((start, end));
        }
    }

    /// <summary>Whether one of its names is to be hidden. What has none cannot be called by any.</summary>
    private bool IsHidden(in ReadOnlySequence<byte> tool)
    {
        var json = new Utf8JsonReader(tool, MessageScanner.Options);
        json.Read();
        if (json.TokenType is not JsonTokenType.StartObject)
        {
            return false;
        }

        while (StandsIn(ref json, "name"u8))
        {
            if (json.TokenType is JsonTokenType.String && Ignores(NameAt(ref json)))
            {
                return true;
            }

            json.Skip();
        }

        return false;
    }

    /// <summary>The name that the reader stands on; null where it is too long to be compared, or no text.</summary>
    private static string? NameAt(ref Utf8JsonReader json) =>
        (json.HasValueSequence ? json.ValueSequence.Length : json.ValueSpan.Length) <= MessageScanner.MaxTextBytes ? JsonSlice.ReadText(ref json) : null;

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
