using System.Collections.Concurrent;

namespace McpProxyFast.Cli.Mapping;

/// <summary>Remembers every secret that the command was given, so that they can be removed from the environment of the programs that it starts.</summary>
internal static class HeldSecrets
{
    private static readonly ConcurrentDictionary<string, bool> Held = new(StringComparer.Ordinal);

    public static IReadOnlyCollection<string> All => [.. Held.Keys];

    /// <summary>Remembers a secret.</summary>
    /// <returns>The same secret.</returns>
    public static string Note(string secret)
    {
        Held[secret] = true;
        return secret;
    }
}
