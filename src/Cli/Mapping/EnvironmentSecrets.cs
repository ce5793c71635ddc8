using System.Collections.Concurrent;

namespace McpProxyFast.Cli.Mapping;

/// <summary>
/// Reads secrets from environment variables. A variable is removed when it is read, so that programs that the command starts do not get the secret.
/// </summary>
internal static class EnvironmentSecrets
{
    /// <summary>The variables that are never removed, since the programs that the command starts, such as a browser, need them.</summary>
    private static readonly string[] Shared = ["HOME", "PATH", "USER", "LOGNAME", "USERNAME", "HOSTNAME", "LANG", "TMPDIR", "DISPLAY"];

    private static readonly ConcurrentDictionary<string, string> Taken = new(StringComparer.Ordinal);

    /// <summary>Returns the value of a variable, even if it was read and removed before; null if it is not set, or empty.</summary>
    public static string? Take(string name)
    {
        if (name.Length == 0 || name.AsSpan().ContainsAny('=', '\0'))
        {
            return null; // no variable can have this name
        }

        if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
        {
            Taken[name] = value;
            if (!Shared.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                Environment.SetEnvironmentVariable(name, null);
                HeldSecrets.Note(value.Trim()); // so that a started program does not find it in another variable
            }
        }

        return Taken.GetValueOrDefault(name);
    }
}
