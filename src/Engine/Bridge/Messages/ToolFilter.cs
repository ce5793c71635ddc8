using System.Buffers;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Cuts hidden tools, with their commas, out of lists of tools. All other bytes of the message stay unchanged.</summary>
internal sealed class ToolFilter
{
    /// <summary>The patterns for the names of hidden tools. <c>*</c> stands for any number of characters, <c>?</c> for one.</summary>
    private readonly string[] _globs;

    /// <param name="globs">The patterns for the names of hidden tools. <c>*</c> stands for any number of characters, <c>?</c> for one. Case counts.</param>
    public ToolFilter(IEnumerable<string> globs) => _globs = [.. globs];

    /// <summary>Whether a tool is hidden: the client must neither see it nor call it.</summary>
    /// <param name="tool">
    /// The tool's name; null if the name is not a string or is too long to compare. Such a tool counts as hidden if there is any pattern.
    /// </param>
    public bool Ignores(string? tool) => tool is null ? _globs.Length > 0 : Array.Exists(_globs, glob => Matches(glob, tool));

    /// <summary>Cuts tools out of an answer to <c>tools/list</c>.</summary>
    /// <param name="answer">A response that has been scanned.</param>
    /// <returns>The same message if nothing is cut out, otherwise the remaining slices of it.</returns>
    public ReadOnlySequence<byte> Apply(in ReadOnlySequence<byte> answer) => Apply(answer, "result"u8);

    /// <summary>Cuts tools out of a notification that carries a list of them.</summary>
    /// <param name="notification">A notification that has been scanned.</param>
    /// <returns>The same message if nothing is cut out, otherwise the remaining slices of it.</returns>
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

        List<ReadOnlySequence<byte>> left = [];
        long from = 0;
        foreach ((long start, long end) in cuts)
        {
            left.Add(message.Slice(from, start - from));
            from = end;
        }

        left.Add(message.Slice(from));
        return JoinedBytes.Of(left);
    }

    /// <summary>
    /// Finds where each array named <c>tools</c> in the container starts. If there are two, both are filtered, since parsers differ in which one they take.
    /// </summary>
    private static List<long> FindLists(in ReadOnlySequence<byte> message, ReadOnlySpan<byte> container)
    {
        List<long> lists = [];
        var json = new Utf8JsonReader(message, MessageScanner.Options);
        json.Read();
        if (!TryFindMember(ref json, container) || json.TokenType is not JsonTokenType.StartObject)
        {
            return lists;
        }

        while (TryFindMember(ref json, "tools"u8))
        {
            if (json.TokenType is JsonTokenType.StartArray)
            {
                lists.Add(json.TokenStartIndex);
            }

            json.Skip();
        }

        return lists;
    }

    /// <summary>Moves the reader to the value of the next member with this name in the current object. Returns false if there is none.</summary>
    private static bool TryFindMember(ref Utf8JsonReader json, ReadOnlySpan<byte> name)
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

    /// <summary>
    /// Finds the ranges to cut out: each hidden tool with the comma before it, or with the comma after it if all tools before it are hidden too.
    /// </summary>
    private void Cut(in ReadOnlySequence<byte> answer, long array, List<(long Start, long End)> cuts)
    {
        var json = new Utf8JsonReader(answer.Slice(array), MessageScanner.Options);
        json.Read();
        bool isAnyKept = false;
        long end = 0;
        long? leading = null; // the start of the first tool in the array, if that tool is hidden
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

    /// <summary>
    /// Whether a tool in a list is hidden: at least one of its members <c>name</c> is. A tool without a name is kept, as it cannot be called.
    /// </summary>
    private bool IsHidden(in ReadOnlySequence<byte> tool)
    {
        var json = new Utf8JsonReader(tool, MessageScanner.Options);
        json.Read();
        if (json.TokenType is not JsonTokenType.StartObject)
        {
            return false;
        }

        while (TryFindMember(ref json, "name"u8))
        {
            if (json.TokenType is JsonTokenType.String && Ignores(NameAt(ref json)))
            {
                return true;
            }

            json.Skip();
        }

        return false;
    }

    /// <summary>Returns the name that the reader is at; null if it is too long to compare, or not valid Unicode.</summary>
    private static string? NameAt(ref Utf8JsonReader json) =>
        (json.HasValueSequence ? json.ValueSequence.Length : json.ValueSpan.Length) <= MessageScanner.MaxTextBytes ? JsonSlice.ReadText(ref json) : null;

    /// <summary>
    /// Compares a name with a pattern. It backtracks only to the last <c>*</c>, so the time is at most proportional to the product of both lengths.
    /// </summary>
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
