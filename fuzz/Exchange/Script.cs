namespace McpProxyFast.Fuzz.Exchange;

/// <summary>What one step of a script does.</summary>
internal enum ScriptAction
{
    /// <summary><c>c</c>: the client sends what follows.</summary>
    ClientSends,

    /// <summary><c>u</c>: the upstream sends what follows on its newest connection.</summary>
    UpstreamSends,

    /// <summary><c>C</c>: the client ends its side.</summary>
    ClientCloses,

    /// <summary><c>U</c>: the upstream ends its newest connection.</summary>
    UpstreamCloses,

    /// <summary><c>X</c>: the client resets.</summary>
    ClientResets,

    /// <summary><c>Y</c>: the upstream resets its newest connection.</summary>
    UpstreamResets,

    /// <summary><c>r</c>: the next connection to the upstream is refused.</summary>
    UpstreamRefuses,

    /// <summary><c>t</c>: time passes; a digit says how many seconds.</summary>
    TimePasses,
}

/// <summary>Reads an input as a script: steps between bytes 0x1E, the first byte of each says what it does. A step that says nothing known is none.</summary>
internal static class Script
{
    private const byte Separator = 0x1E;
    private const int MaxSteps = 32;

    public static IEnumerable<(ScriptAction Action, byte[] Bytes)> Read(byte[] input)
    {
        int start = 0;
        for (int step = 0; step < MaxSteps && start < input.Length; step++)
        {
            int separator = Array.IndexOf(input, Separator, start);
            int end = separator < 0 ? input.Length : separator;
            if (end > start && ActionOf(input[start]) is { } action)
            {
                yield return (action, input[(start + 1)..end]);
            }

            start = end + 1;
        }
    }

    private static ScriptAction? ActionOf(byte letter) => letter switch
    {
        (byte)'c' => ScriptAction.ClientSends,
        (byte)'u' => ScriptAction.UpstreamSends,
        (byte)'C' => ScriptAction.ClientCloses,
        (byte)'U' => ScriptAction.UpstreamCloses,
        (byte)'X' => ScriptAction.ClientResets,
        (byte)'Y' => ScriptAction.UpstreamResets,
        (byte)'r' => ScriptAction.UpstreamRefuses,
        (byte)'t' => ScriptAction.TimePasses,
        _ => null,
    };
}
