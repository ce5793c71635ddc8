using System.Buffers;
using System.Diagnostics;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Writes a message around values of another one: large values are taken in where they lie, and not copied.</summary>
/// <param name="text">Gets what is written: the message with <see cref="Placeholder"/> for each value that is taken in.</param>
/// <param name="json">Writes it.</param>
internal sealed class MessageSplicer(ArrayBufferWriter<byte> text, Utf8JsonWriter json)
{
    /// <summary>From here on a value is taken in; a shorter one is copied, so that a message has few pieces.</summary>
    public const int TakenInBytes = 4 * 1024;

    /// <summary>The values that are taken in, in their order, each with the place of its placeholder.</summary>
    private readonly List<(int At, ReadOnlySequence<byte> Value)> _taken = [];

    /// <summary>Writes what is new in the message.</summary>
    public Utf8JsonWriter Json => json;

    /// <summary>One byte of JSON that stands where a value will be.</summary>
    private static ReadOnlySpan<byte> Placeholder => "0"u8;

    /// <summary>Writes a message.</summary>
    /// <param name="write">Writes it.</param>
    /// <returns>Valid as long as the values that were given.</returns>
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
    /// <param name="name">Its name.</param>
    /// <param name="value">Raw JSON.</param>
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
        Debug.Assert(text.WrittenSpan.EndsWith(Placeholder), "The placeholder is the last that was written.");
        _taken.Add((text.WrittenCount - Placeholder.Length, value));
    }

    /// <summary>Writes members as they lie.</summary>
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

    /// <summary>What was written, with the values in the places of their placeholders.</summary>
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
