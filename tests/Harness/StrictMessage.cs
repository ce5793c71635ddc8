namespace McpProxyFast.Harness;

/// <summary>One message as it stood on the wire. Text is Latin-1: one character a byte.</summary>
/// <param name="Head">Start line and field lines, with every CRLF but that of the empty line.</param>
/// <param name="Body">The data, without chunk lines; as far as it has come.</param>
/// <param name="IsWhole">Its end was seen.</param>
public sealed record StrictMessage(string Head, string Body, bool IsWhole = true)
{
    public string StartLine => Head[..Head.IndexOf("\r\n", StringComparison.Ordinal)];

    /// <summary>The method of a request.</summary>
    public string Method => StartLine[..StartLine.IndexOf(' ')];

    /// <summary>The status of a response.</summary>
    public int Status => int.Parse(StartLine.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);

    public IEnumerable<(string Name, string Value)> Fields =>
        Head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => (line[..line.IndexOf(':')], line[(line.IndexOf(':') + 1)..].Trim(' ', '\t')));

    /// <summary>The values of all lines with this name.</summary>
    public string[] All(string name) => [.. Fields.Where(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value)];

    /// <summary>The value of the only line with this name; null where there is none.</summary>
    public string? Field(string name) => All(name).SingleOrDefault();
}
