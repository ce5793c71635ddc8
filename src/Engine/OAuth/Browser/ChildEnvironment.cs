namespace McpProxyFast.OAuth.Browser;

/// <summary>The environment of programs that are started beside ours. They live long, speak with strangers, and need no secret of ours.</summary>
internal static class ChildEnvironment
{
    /// <summary>The settings of the command come by variables with these names; secrets are among them.</summary>
    private static readonly string[] OwnPrefixes = ["MCPPROXYFAST_", "TOOLHIVE_"];

    /// <summary>A shorter secret is looked for as the whole of a variable only: it may stand in an innocent one by chance.</summary>
    private const int MinSecretWithin = 8;

    /// <summary>Takes out our own variables, and those that hold one of our secrets.</summary>
    /// <param name="environment">What the program would find.</param>
    /// <param name="secrets">What it must not find, under whatever name it came into ours.</param>
    public static void Hide(IDictionary<string, string?> environment, IReadOnlyCollection<string> secrets)
    {
        string[] names =
        [
            .. environment.Where(variable => OwnPrefixes.Any(prefix => variable.Key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
                || secrets.Any(secret => Holds(variable.Value, secret))).Select(variable => variable.Key),
        ];
        Array.ForEach(names, name => environment.Remove(name));
    }

    private static bool Holds(string? value, string secret) =>
        value is not null && secret.Length > 0 && (secret.Length < MinSecretWithin ? value == secret : value.Contains(secret, StringComparison.Ordinal));
}
