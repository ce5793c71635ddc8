using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using McpProxyFast.Cli.Flags;

namespace McpProxyFast.Cli.Mapping;

/// <summary>Reads the kinds of values that several flags have. Every error names its flag.</summary>
internal static class FlagValue
{
    /// <exception cref="UsageException">The text is not an absolute http or https URL.</exception>
    [return: NotNullIfNotNull(nameof(text))]
    public static Uri? Url(string flag, string? text)
    {
        if (text is null)
        {
            return null;
        }

        return Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" && url.Host.Length > 0
            ? url
            : throw new UsageException($"--{flag} must be an absolute http or https URL, such as http://localhost:8080/mcp, not '{WithoutSecrets(text)}'");
    }

    /// <summary>Returns a text that is not a valid URL, without its query and without anything before an @, since both may contain secrets.</summary>
    private static string WithoutSecrets(string text)
    {
        int end = text.AsSpan().IndexOfAny('?', '#');
        string shown = end < 0 ? text : text[..end];
        return shown[(shown.LastIndexOf('@') + 1)..];
    }

    /// <exception cref="UsageException">The text is not a duration.</exception>
    public static TimeSpan Wait(string flag, string text) =>
        Duration.TryParse(text, out TimeSpan value)
            ? value
            : throw new UsageException($"--{flag} must be a DURATION such as 500ms, 30s, 2m30s or 1h, not '{text}'");

    /// <summary>Returns a secret: the given one, or the content of its file.</summary>
    /// <exception cref="UsageException">The file cannot be read or is empty.</exception>
    public static string? Secret(string? given, string fileFlag, string? file)
    {
        if (given is not null || file is null)
        {
            return given;
        }

        try
        {
            return HeldSecrets.Note(McpProxyFast.SecretFile.Read(file));
        }
        catch (SecretFileException e)
        {
            throw new UsageException($"--{fileFlag}: {e.Message}");
        }
    }

    /// <summary>
    /// Returns the path of a file that the engine reads each time it needs the content. The file is read once now, so that a mistake is reported at the start.
    /// </summary>
    /// <exception cref="UsageException">The file cannot be read or is empty.</exception>
    public static string? SecretFile(string flag, string? file)
    {
        _ = Secret(given: null, flag, file);
        return file;
    }

    /// <summary>Returns the path of a PEM file with a private key. The file is read once now, so that a mistake is reported at the start.</summary>
    /// <exception cref="UsageException">The file cannot be read, or has no private key.</exception>
    public static string? KeyFile(string flag, string? file)
    {
        if (Secret(given: null, flag, file) is { } pem && !Imports(RSA.Create(), pem) && !Imports(ECDsa.Create(), pem))
        {
            throw new UsageException($"--{flag}: {file} holds neither an EC nor an RSA private key in PEM");
        }

        return file;
    }

    /// <summary>Refuses the first combination of flags that cannot work.</summary>
    /// <param name="rules">For each rule: whether it is broken, the flag to name in the message, and the text of the rule.</param>
    /// <exception cref="UsageException">A rule is broken.</exception>
    public static void Refuse(params (bool IsBroken, string Flag, string Rule)[] rules)
    {
        if (Array.Find(rules, rule => rule.IsBroken) is { IsBroken: true } broken)
        {
            throw new UsageException($"--{broken.Flag}: {broken.Rule}");
        }
    }

    /// <summary>Lets the engine make or check something, and turns its <see cref="ArgumentException"/> into a <see cref="UsageException"/>.</summary>
    /// <param name="flags">The flag for each property that the engine's exception may name; a table of <see cref="FlagNames"/>.</param>
    /// <param name="make">Calls the engine.</param>
    /// <exception cref="UsageException">The engine refuses a value.</exception>
    public static T Accepted<T>(IReadOnlyDictionary<string, string> flags, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (ArgumentException e)
        {
            // The runtime appends the parameter's name to the message. The engine's own text is one sentence. A quoted value that contains ". " cuts it short.
            string sentence = e.Message.Split(". ")[0].TrimEnd('.');
            string rule = e.ParamName is { } name && sentence.StartsWith(name + ": ", StringComparison.Ordinal) ? sentence[(name.Length + 2)..] : sentence;
            throw new UsageException($"{flags.GetValueOrDefault(e.ParamName ?? "", "the flags")}: {rule}");
        }
    }

    private static bool Imports(AsymmetricAlgorithm algorithm, string pem)
    {
        using (algorithm)
        {
            try
            {
                algorithm.ImportFromPem(pem);
                return true;
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                return false;
            }
        }
    }
}
