namespace McpProxyFast.OAuth.Browser;

/// <summary>Removes the proxy's secrets from the environment of programs that it starts, such as a browser or a tunnel's agent.</summary>
internal static class ChildEnvironment
{
    /// <summary>The prefixes of the environment variables that set options of mcpproxyfast; some of these are secrets.</summary>
    private static readonly string[] OwnPrefixes = ["MCPPROXYFAST_", "TOOLHIVE_"];

    /// <summary>
    /// If a secret has at least this length, variables that contain it are removed. A shorter secret could be part of an unrelated variable by chance, so only
    /// a variable whose whole value is the secret is removed.
    /// </summary>
    private const int MinSecretWithin = 8;

    /// <summary>Removes the variables of mcpproxyfast, and all that contain one of the secrets.</summary>
    /// <param name="environment">The environment of the program that is to be started. It is changed.</param>
    /// <param name="secrets">The secrets that must not be in the environment, whatever the variable is called.</param>
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
