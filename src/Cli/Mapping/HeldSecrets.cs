using System.Collections.Concurrent;

namespace McpProxyFast.Cli.Mapping;

/// <summary>Every secret that the command was given, from wherever it came: no program that it starts may find one in its environment.</summary>
internal static class HeldSecrets
{
    private static readonly ConcurrentDictionary<string, bool> Held = new(StringComparer.Ordinal);

    public static IReadOnlyCollection<string> All => [.. Held.Keys];

    /// <summary>Notes a secret.</summary>
    /// <returns>The secret.</returns>
    public static string Note(string secret)
    {
        Held[secret] = true;
        return secret;
    }
}
