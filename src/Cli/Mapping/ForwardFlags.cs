using McpProxyFast.Cli.Options;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Mapping;

/// <summary>
/// Maps the flags <c>--remote-forward-headers</c> and <c>--remote-forward-headers-secret</c> to the header fields that the engine adds to requests.
/// </summary>
/// <remarks>No message repeats a value, a reference, or an invalid name, since any of them may be the secret itself, written in the wrong place.</remarks>
internal static class ForwardFlags
{
    private const string GivenFlag = "remote-forward-headers";
    private const string SecretFlag = "remote-forward-headers-secret";
    private const string FromVariable = "env:";
    private const string FromFile = "file:";

    /// <summary>The prefix of the environment variables from which <c>thv</c> reads secrets that are not in its store.</summary>
    private const string FallbackPrefix = "TOOLHIVE_SECRET_";

    /// <summary>Words that commonly occur in the names of header fields with secrets.</summary>
    private static readonly string[] SecretWords = ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "access-key", "auth-key"];

    /// <summary>Reads the flags and looks up the secrets.</summary>
    /// <returns>The fields, those with a secret last. If both flags name the same field, the one with the secret is used.</returns>
    /// <exception cref="UsageException">A name or a value is not valid, or the secret that a reference names does not exist.</exception>
    public static async Task<IReadOnlyList<AddedField>> ReadAsync(OutgoingOptions options, ILogger logger)
    {
        List<AddedField> fields = [.. options.RemoteForwardHeaders.Select(given => Field(GivenFlag, Split(GivenFlag, given)))];
        foreach (string given in options.RemoteForwardHeadersSecret)
        {
            fields.Add(await ResolveAsync(Split(SecretFlag, given), options, logger));
        }

        return fields;
    }

    /// <summary>Checks the flags for a verb that sends no requests to the target. No secret is looked up.</summary>
    /// <exception cref="UsageException">A name, a value or a reference is not valid.</exception>
    public static void Check(OutgoingOptions options)
    {
        foreach (string given in options.RemoteForwardHeaders)
        {
            _ = Field(GivenFlag, Split(GivenFlag, given));
        }

        foreach (string given in options.RemoteForwardHeadersSecret)
        {
            (string name, string reference) = Split(SecretFlag, given);
            _ = Field(SecretFlag, (name, ""));
            CheckReference(name, reference);
        }
    }

    /// <summary>Whether an added field may act as a credential at the target: its value is a secret, or fields with such a name commonly carry one.</summary>
    public static bool AddCredential(OutgoingOptions options) => options.RemoteForwardHeadersSecret.Any() || options.RemoteForwardHeaders.Any(LooksSecret);

    /// <summary>Whether the name of a field, given as NAME=VALUE, suggests that its value is a secret.</summary>
    public static bool LooksSecret(string given) =>
        SecretWords.Any(word => given.Split('=')[0].Replace('_', '-').Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a secret may have to be read from the credential store: its reference names a stored secret, and the store exists.</summary>
    public static bool ReadStore(OutgoingOptions options) =>
        options.RemoteForwardHeadersSecret.Any(given => IsStored(given[(given.IndexOf('=', StringComparison.Ordinal) + 1)..]))
        && OutgoingFlags.TryGetStorePath(options) is { } path
        && File.Exists(path);

    private static (string Name, string Given) Split(string flag, string given)
    {
        int equals = given.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
        {
            string form = flag == GivenFlag ? "NAME=VALUE, such as X-Tenant=acme" : $"NAME=REF, such as X-Api-Key=env:API_KEY; {References}";
            throw new UsageException($"--{flag} must be written {form}");
        }

        return (given[..equals].Trim(), given[(equals + 1)..]);
    }

    private const string References = "REF is env:NAME, file:PATH, or the name of a secret stored with mcpproxyfast secret set";

    private static AddedField Field(string flag, (string Name, string Value) given) =>
        FlagValue.Accepted(Names(flag), () => AddedField.Of(given.Name, given.Value));

    private static Dictionary<string, string> Names(string flag) =>
        ((string[])["name", "value", "path"]).ToDictionary(parameter => parameter, _ => $"--{flag}", StringComparer.Ordinal);

    private static void CheckReference(string name, string reference)
    {
        bool isWhole = IsStored(reference)
            ? StoredSecrets.IsName(reference)
            : reference.Length > (reference.StartsWith(FromFile, StringComparison.Ordinal) ? FromFile.Length : FromVariable.Length);
        if (!isWhole)
        {
            throw new UsageException($"--{SecretFlag}: the REF that is given for the header field {name} is not valid; {References}");
        }
    }

    private static bool IsStored(string reference) =>
        !reference.StartsWith(FromVariable, StringComparison.Ordinal) && !reference.StartsWith(FromFile, StringComparison.Ordinal);

    private static async Task<AddedField> ResolveAsync((string Name, string Reference) given, OutgoingOptions options, ILogger logger)
    {
        (string name, string reference) = given;
        _ = Field(SecretFlag, (name, "")); // the name is checked first, since the messages below repeat it
        CheckReference(name, reference);
        if (reference.StartsWith(FromFile, StringComparison.Ordinal))
        {
            return FlagValue.Accepted(Names(SecretFlag), () => AddedField.FromFile(name, reference[FromFile.Length..]));
        }

        string value = reference.StartsWith(FromVariable, StringComparison.Ordinal)
            ? EnvironmentSecrets.Take(reference[FromVariable.Length..])
                ?? throw new UsageException(
                    $"--{SecretFlag}: the header field {name} takes its value from an environment variable (env:NAME) that is not set, or is empty")
            : await FindAsync(reference, options, logger) ?? Fallback(reference)
                ?? throw new UsageException(
                    $"--{SecretFlag}: no secret is stored under the NAME that is given for the header field {name} "
                    + "(store it with mcpproxyfast secret set NAME), "
                    + $"and the environment has no variable {FallbackPrefix}NAME");
        return Field(SecretFlag, (name, HeldSecrets.Note(value)));
    }

    private static async Task<string?> FindAsync(string secret, OutgoingOptions options, ILogger logger)
    {
        if (OutgoingFlags.TryGetStore(options) is not { } store || !File.Exists(store.Path))
        {
            return null;
        }

        try
        {
            return await StoredSecrets.FindAsync(store, secret, logger);
        }
        catch (InvalidOperationException e)
        {
            throw new UsageException($"--{SecretFlag}: {OptionNames.ToFlags(e.Message)}");
        }
    }

    private static string? Fallback(string secret) =>
        "true".Equals(Environment.GetEnvironmentVariable("TOOLHIVE_DISABLE_ENV_FALLBACK"), StringComparison.OrdinalIgnoreCase)
            ? null
            : EnvironmentSecrets.Take(FallbackPrefix + secret);
}
