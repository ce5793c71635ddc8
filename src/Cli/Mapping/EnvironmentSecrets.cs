using System.Collections.Concurrent;

namespace McpProxyFast.Cli.Mapping;

/// <summary>Secrets from environment variables. Each leaves the environment when it is read: no program that the command starts finds it there.</summary>
internal static class EnvironmentSecrets
{
    /// <summary>What other programs cannot do without. Somebody may forward one of these, and a browser must start all the same.</summary>
    private static readonly string[] Shared = ["HOME", "PATH", "USER", "LOGNAME", "USERNAME", "HOSTNAME", "LANG", "TMPDIR", "DISPLAY"];

    private static readonly ConcurrentDictionary<string, string> Taken = new(StringComparer.Ordinal);

    /// <summary>The value of a variable, also if it was taken before; null if it is not set, or empty.</summary>
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
                HeldSecrets.Note(value.Trim()); // it may stand in another variable too
            }
        }

        return Taken.GetValueOrDefault(name);
    }
}
