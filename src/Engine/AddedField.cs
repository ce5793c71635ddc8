using System.Text;

namespace McpProxyFast;

/// <summary>A field that goes out with every request to the upstream, in place of a client's own of that name.</summary>
/// <remarks>
/// It is set after the credential of <see cref="McpProxyOptions.Outgoing"/>, so one for <c>Authorization</c> replaces that too. Not every name may be
/// taken: HTTP's own fields, those that say who the client is and those that describe one message are refused.
/// </remarks>
public sealed record AddedField
{
    /// <summary>Longest name, in bytes.</summary>
    public const int MaxNameLength = 256;

    /// <summary>Longest value, in bytes of UTF-8.</summary>
    public const int MaxValueLength = 8192;

    private AddedField(string name) => Name = AddedFieldNames.Checked(name, nameof(name));

    /// <summary>The field's name, as it goes out.</summary>
    public string Name { get; }

    /// <summary>The value; null if it stands in a file.</summary>
    internal string? Value { get; private init; }

    /// <summary>The file that has the value; null if it is given.</summary>
    internal string? Path { get; private init; }

    /// <summary>A field whose value never changes.</summary>
    /// <param name="name">The field's name.</param>
    /// <param name="value">Its value, which may be empty; text beyond ASCII goes out as UTF-8.</param>
    /// <returns>The field.</returns>
    /// <exception cref="ArgumentException">The name is not a valid field name or is refused, or the value cannot stand in a field. The message does not repeat
    /// the value.</exception>
    public static AddedField Of(string name, string value)
    {
        var field = new AddedField(name);
        string? wrong = AddedFieldRules.WhatIsWrong(value);
        PolicyValue.Require(wrong is null, nameof(value), $"The value of {field.Name} {wrong}.");
        return field with { Value = value };
    }

    /// <summary>A field whose value stands in a file, which is read again when it changes; blanks around the value are ignored.</summary>
    /// <remarks>A <see cref="McpProxy"/> reads the file when it is made. Later, a file that has gone or is empty leaves the last value in use.</remarks>
    /// <param name="name">The field's name.</param>
    /// <param name="path">The file.</param>
    /// <returns>The field.</returns>
    /// <exception cref="ArgumentException">The name is not a valid field name or is refused, or the path is empty.</exception>
    public static AddedField FromFile(string name, string path) => new AddedField(name) with { Path = PolicyValue.NotEmpty(path, nameof(path)) };

    /// <summary>Names the field, never the value.</summary>
    /// <returns>The name.</returns>
    public override string ToString() => Name;
}

/// <summary>Which values a field can have.</summary>
internal static class AddedFieldRules
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What is wrong with a value, as the end of a sentence that begins with "The value"; null if it can be sent.</summary>
    public static string? WhatIsWrong(string value)
    {
        int length;
        try
        {
            length = StrictUtf8.GetByteCount(value);
        }
        catch (EncoderFallbackException)
        {
            length = -1;
        }

        // A file that is not UTF-8 is read with replacement characters.
        return length < 0 || value.Contains('\uFFFD') ? "is not UTF-8 text"
            : length > AddedField.MaxValueLength ? $"is longer than {AddedField.MaxValueLength} bytes"
            : value.AsSpan().IndexOfAny('\r', '\n') >= 0 ? "has a line break in it"
            : value.Any(character => character is (< ' ' and not '\t') or '\x7f') ? "has a control character in it"
            : null;
    }
}
