using System.Diagnostics;
using System.Text;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>
/// The header lines that are added to every request to the upstream, as ready-made bytes. If a value comes from a file and the file changes, all lines are
/// replaced together.
/// </summary>
internal sealed class AddedFields : IAsyncDisposable
{
    /// <summary>The maximum number of fields. <see cref="Open"/> refuses more.</summary>
    public const int MaxFields = 64;

    /// <summary>The maximum number of bytes of all lines together. Servers commonly refuse heads of more than 8 to 64 KiB.</summary>
    public const int MaxBytes = 32 * 1024;

    // The whole file is read each time, instead of its timestamp: a mounted secret is a symlink whose timestamp never changes. The period is shorter than for a
    // bearer token's file: that file is also read when the upstream refuses the token, but nothing shows that a field is refused.
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>The pause before the files are read again if two readings in a row have differed, so that a file was probably being written.</summary>
    private static readonly TimeSpan SettlingPeriod = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// The fields with their values; each name occurs once. After construction only the watch changes the values, and its checks run one after another.
    /// </summary>
    private readonly Part[] _parts;

    /// <summary>Reads the files again at intervals; null if no value comes from a file. Never changes.</summary>
    private readonly Supervised? _watch;

    /// <summary>Logs what a person must know, never a value. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>The complete lines. Never changed, only replaced.</summary>
    private volatile byte[] _lines;

    private AddedFields(Part[] parts, TimeProvider clock, ILogger logger)
    {
        _parts = parts;
        _logger = logger;
        byte[]? lines = Compile(parts);
        PolicyValue.Require(lines is not null, nameof(McpProxyOptions.AddedFields), $"All added fields together are longer than {MaxBytes} bytes.");
        _lines = lines!;
        _watch = parts.Any(part => part.Path is not null) ? new Supervised("watch over the files of added fields", WatchAsync, clock, logger) : null;
    }

    /// <summary>The complete field lines, each with its CRLF.</summary>
    /// <remarks>On the request path: one volatile read; nothing is allocated.</remarks>
    public ReadOnlySpan<byte> Lines => _lines;

    /// <summary>The names of the fields.</summary>
    public IEnumerable<string> Names => _parts.Select(part => part.Name);

    /// <summary>Reads the files and builds the lines. If several fields have the same name, only the last one is used.</summary>
    /// <returns>The added fields; null if there are none.</returns>
    /// <exception cref="ArgumentException">There are too many fields, or a file cannot be read or has no value.</exception>
    public static AddedFields? Open(IReadOnlyList<AddedField> fields, TimeProvider clock, ILogger logger)
    {
        // Some servers treat `_` in a name as `-`, so the two names count as the same.
        AddedField[] last = [.. fields.Reverse().DistinctBy(field => field.Name.Replace('_', '-'), StringComparer.OrdinalIgnoreCase).Reverse()];
        PolicyValue.Require(
            last.Length <= MaxFields, nameof(McpProxyOptions.AddedFields), $"{last.Length} fields are given, but at most {MaxFields} can be added.");
        if (last.Length == 0)
        {
            return null;
        }

        var added = new AddedFields([.. last.Select(field => new Part(field.Name, field.Path) { Value = field.Value ?? Read(field) })], clock, logger);
        logger.FieldsAdded(string.Join(", ", added.Names));
        if (added.Names.Contains("Authorization", StringComparer.OrdinalIgnoreCase))
        {
            logger.AuthorizationAdded();
        }

        return added;
    }

    /// <summary>Begins to watch the files.</summary>
    public void Start() => _watch?.Schedule(Period);

    public ValueTask DisposeAsync() => _watch?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static string Read(AddedField field)
    {
        try
        {
            return Checked(ReadSecret.From(field.Path!, What(field.Name)), field.Name, field.Path!);
        }
        catch (OAuthException failure)
        {
            PolicyValue.Require(holds: false, nameof(AddedField.Path), failure.Message);
            throw; // never reached: the call above always throws
        }
    }

    private async Task<TimeSpan> WatchAsync(CancellationToken stopping)
    {
        string[] values = await ReadAllAsync(stopping).ConfigureAwait(false);
        if (values.SequenceEqual(_parts.Select(part => part.Value)))
        {
            return Period;
        }

        // If files are changed while they are read, some values could be old and others new. So values are used only if two readings in a row agree.
        string[] again = await ReadAllAsync(stopping).ConfigureAwait(false);
        if (!values.SequenceEqual(again))
        {
            return SettlingPeriod;
        }

        Part[] changed = [.. _parts.Where((part, i) => values[i] != part.Value && TryTake(part, values[i]))];
        if (changed.Length > 0)
        {
            _lines = Compile(_parts)!; // all changed values take effect together
            Array.ForEach(changed, part => _logger.FieldChanged(part.Name));
        }

        return Period;
    }

    /// <summary>
    /// Returns the values that the files have now, in the order of the fields. For a field without a file, or whose file cannot be used now, its last value is
    /// returned.
    /// </summary>
    private async Task<string[]> ReadAllAsync(CancellationToken stopping)
    {
        string[] values = new string[_parts.Length];
        for (int i = 0; i < values.Length; i++)
        {
            Part part = _parts[i];
            string? read = part.Path is null ? null : await TryReadAgainAsync(part, stopping).ConfigureAwait(false);
            values[i] = read ?? part.Value;
        }

        return values;
    }

    /// <returns>The value; null if the file cannot be read now, or has no valid field value. Then the last value stays in use.</returns>
    private async Task<string?> TryReadAgainAsync(Part part, CancellationToken stopping)
    {
        try
        {
            string value = Checked(await ReadSecret.FromAsync(part.Path!, What(part.Name), stopping).ConfigureAwait(false), part.Name, part.Path!);
            part.Trouble = part.Trouble is Trouble.TooLong ? Trouble.TooLong : Trouble.None;
            return value;
        }
        catch (OAuthException failure)
        {
            Say(part, Trouble.Unreadable, failure.Message);
            return null;
        }
    }

    private bool TryTake(Part part, string value)
    {
        string before = part.Value;
        part.Value = value;
        if (Compile(_parts) is null)
        {
            part.Value = before;
            Say(part, Trouble.TooLong, $"With the new value, all added fields together would be longer than {MaxBytes} bytes.");
            return false;
        }

        part.Trouble = Trouble.None;
        return true;
    }

    // The file is read every second, so a lasting trouble is logged only when it begins.
    private void Say(Part part, Trouble trouble, string reason)
    {
        if (part.Trouble != trouble)
        {
            _logger.FieldNotRead(part.Name, reason);
        }

        part.Trouble = trouble;
    }

    private static string Checked(string value, string name, string path) => AddedFieldRules.WhatIsWrong(value) is { } wrong
        ? throw OAuthException.Refused("secret-file", $"The {What(name)} file {path} holds no valid value: its content {wrong}.")
        : value;

    private static string What(string name) => $"{name} field's";

    /// <returns>The lines; null if they are too long together.</returns>
    private static byte[]? Compile(Part[] parts)
    {
        byte[] lines = Encoding.UTF8.GetBytes(string.Concat(parts.Select(part => $"{part.Name}: {part.Value}\r\n")));
        Debug.Assert(lines.AsSpan().Count((byte)'\n') == parts.Length, "A value has no line break.");
        return lines.Length <= MaxBytes ? lines : null;
    }

    /// <summary>Why the value of a file is not used.</summary>
    private enum Trouble
    {
        None,
        Unreadable,
        TooLong,
    }

    /// <param name="Name">The field's name.</param>
    /// <param name="Path">The file that the value is read from; null if the operator has set the value itself.</param>
    private sealed record Part(string Name, string? Path)
    {
        public required string Value { get; set; }

        /// <summary>Why the file's present value is not used; None if it is used. The reason has been logged.</summary>
        public Trouble Trouble { get; set; }

        /// <summary>The name of the field, never its value.</summary>
        public override string ToString() => Name;
    }
}
