using System.Text;

namespace McpProxyFast;

/// <summary>A field that is added to every request to the upstream. It replaces a field of the client with the same name.</summary>
/// <remarks>
/// It is set after the credential of <see cref="McpProxyOptions.Outgoing"/>, so an added <c>Authorization</c> replaces that credential too. Some names are
/// refused: fields of the HTTP connection and framing (such as <c>Host</c>), fields that identify the client (such as <c>X-Forwarded-For</c>), and fields that
/// describe a single message (such as <c>Content-Type</c>).
/// </remarks>
public sealed record AddedField
{
    /// <summary>The maximum length of a name, in bytes.</summary>
    public const int MaxNameLength = 256;

    /// <summary>The maximum length of a value, in bytes of UTF-8.</summary>
    public const int MaxValueLength = 8192;

    private AddedField(string name) => Name = AddedFieldNames.Checked(name, nameof(name));

    /// <summary>The field's name, as it is sent.</summary>
    public string Name { get; }

    /// <summary>The field's value; null if the value is in a file.</summary>
    internal string? Value { get; private init; }

    /// <summary>The path of the file with the value; null if the value itself is given.</summary>
    internal string? Path { get; private init; }

    /// <summary>Creates a field whose value never changes.</summary>
    /// <param name="name">The field's name.</param>
    /// <param name="value">The field's value, which may be empty; text beyond ASCII is sent as UTF-8.</param>
    /// <returns>The field.</returns>
    /// <exception cref="ArgumentException">
    /// The name is not a valid field name or is refused, or the value is not valid in a field. The message does not repeat the value.
    /// </exception>
    public static AddedField Of(string name, string value)
    {
        var field = new AddedField(name);
        string? wrong = AddedFieldRules.WhatIsWrong(value);
        PolicyValue.Require(wrong is null, nameof(value), $"The value of {field.Name} {wrong}.");
        return field with { Value = value };
    }

    /// <summary>Creates a field whose value is in a file. The file is read again when it changes; white space around the value is ignored.</summary>
    /// <remarks>
    /// A <see cref="McpProxy"/> reads the file when it is created, and throws an <see cref="ArgumentException"/> if the file cannot be read or is empty. If
    /// this happens later, the proxy continues to send the last value.
    /// </remarks>
    /// <param name="name">The field's name.</param>
    /// <param name="path">The path of the file.</param>
    /// <returns>The field.</returns>
    /// <exception cref="ArgumentException">The name is not a valid field name or is refused, or the path is empty.</exception>
    public static AddedField FromFile(string name, string path) => new AddedField(name) with { Path = PolicyValue.NotEmpty(path, nameof(path)) };

    /// <summary>Returns the field's name, never the value.</summary>
    /// <returns>The name.</returns>
    public override string ToString() => Name;
}

/// <summary>Checks the values of added fields.</summary>
internal static class AddedFieldRules
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Says what is wrong with a value, as the end of a sentence that begins with "The value"; null if the value can be sent.</summary>
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

        // If a file is not UTF-8, its text contains replacement characters (U+FFFD).
        return length < 0 || value.Contains('\uFFFD') ? "is not UTF-8 text"
            : length > AddedField.MaxValueLength ? $"is longer than {AddedField.MaxValueLength} bytes"
            : value.AsSpan().IndexOfAny('\r', '\n') >= 0 ? "has a line break in it"
            : value.Any(character => character is (< ' ' and not '\t') or '\x7f') ? "has a control character in it"
            : null;
    }
}
