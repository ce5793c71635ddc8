using System.Buffers;
using System.Diagnostics;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Writes a message that contains values of another one. Large values are not copied: the new message refers to their bytes.</summary>
/// <param name="text">Receives the text of the message, with a <see cref="Placeholder"/> for each value that is not copied.</param>
/// <param name="json">The JSON writer over <paramref name="text"/>.</param>
internal sealed class MessageSplicer(ArrayBufferWriter<byte> text, Utf8JsonWriter json)
{
    /// <summary>A value of at least this many bytes is not copied. Shorter values are copied, so that the message has few pieces.</summary>
    public const int TakenInBytes = 4 * 1024;

    /// <summary>The values that are not copied, in order, each with the position of its placeholder in the text.</summary>
    private readonly List<(int At, ReadOnlySequence<byte> Value)> _taken = [];

    /// <summary>The writer for the parts of the message that are new.</summary>
    public Utf8JsonWriter Json => json;

    /// <summary>One byte of valid JSON that holds the place of a value.</summary>
    private static ReadOnlySpan<byte> Placeholder => "0"u8;

    /// <summary>Writes a message.</summary>
    /// <param name="write">Writes the message.</param>
    /// <returns>The message. It is valid as long as the values that were written into it.</returns>
    public static ReadOnlySequence<byte> Build(Action<MessageSplicer> write)
    {
        var text = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(text, new JsonWriterOptions { SkipValidation = true });
        var splicer = new MessageSplicer(text, json);
        write(splicer);
        json.Flush();
        return splicer.Join();
    }

    /// <summary>Writes a member.</summary>
    /// <param name="name">The member's name.</param>
    /// <param name="value">The raw JSON of the value.</param>
    public void Write(string name, in ReadOnlySequence<byte> value)
    {
        json.WritePropertyName(name);
        if (value.Length < TakenInBytes)
        {
            json.WriteRawValue(value, skipInputValidation: true);
            return;
        }

        json.WriteRawValue(Placeholder, skipInputValidation: true);
        json.Flush();
        Debug.Assert(text.WrittenSpan.EndsWith(Placeholder), "The placeholder was written last.");
        _taken.Add((text.WrittenCount - Placeholder.Length, value));
    }

    /// <summary>Writes the members whose names are wanted, with their raw JSON unchanged.</summary>
    public void WriteMembers(IEnumerable<JsonSlice> members, Func<string, bool> isWanted)
    {
        foreach (JsonSlice member in members)
        {
            if (isWanted(member.Name))
            {
                Write(member.Name, member.Value);
            }
        }
    }

    /// <summary>Returns the text with the values in place of their placeholders.</summary>
    private ReadOnlySequence<byte> Join()
    {
        ReadOnlyMemory<byte> written = text.WrittenMemory;
        List<ReadOnlySequence<byte>> parts = [];
        int from = 0;
        foreach ((int at, ReadOnlySequence<byte> value) in _taken)
        {
            parts.Add(new ReadOnlySequence<byte>(written[from..at]));
            parts.Add(value);
            from = at + Placeholder.Length;
        }

        parts.Add(new ReadOnlySequence<byte>(written[from..]));
        return JoinedBytes.Of(parts);
    }
}
