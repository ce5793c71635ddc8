using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using McpProxyFast.Cli.Flags;

namespace McpProxyFast.Cli.Mapping;

/// <summary>Reads the values that several mappings share; every error names its flag.</summary>
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
            : throw new UsageException($"--{flag} must be an http or https URL such as http://localhost:8080/mcp, not '{WithoutSecrets(text)}'");
    }

    /// <summary>A text that should have been a URL, without its query and without anything before an @: both may hold secrets.</summary>
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
            : throw new UsageException($"--{flag} cannot be '{text}'; a DURATION is written 500ms, 30s, 2m30s or 1h");

    /// <summary>A secret given as it is, or the content of its file.</summary>
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

    /// <summary>A file whose content is read when it is needed, and again when it changes; it must be there from the start.</summary>
    /// <exception cref="UsageException">The file cannot be read or is empty.</exception>
    public static string? SecretFile(string flag, string? file)
    {
        _ = Secret(given: null, flag, file);
        return file;
    }

    /// <summary>A PEM file with a private key, which must be one from the start.</summary>
    /// <exception cref="UsageException">The file cannot be read, or holds no such key.</exception>
    public static string? KeyFile(string flag, string? file)
    {
        if (Secret(given: null, flag, file) is { } pem && !Imports(RSA.Create(), pem) && !Imports(ECDsa.Create(), pem))
        {
            throw new UsageException($"--{flag}: {file} holds neither an EC nor an RSA private key in PEM");
        }

        return file;
    }

    /// <summary>Refuses the first combination of flags that cannot work.</summary>
    /// <param name="rules">Whether a rule is broken, the flag to name, and the rule.</param>
    /// <exception cref="UsageException">A rule is broken.</exception>
    public static void Refuse(params (bool IsBroken, string Flag, string Rule)[] rules)
    {
        if (Array.Find(rules, rule => rule.IsBroken) is { IsBroken: true } broken)
        {
            throw new UsageException($"--{broken.Flag}: {broken.Rule}");
        }
    }

    /// <summary>Lets the engine make or check something and turns what it objects to into wrong use.</summary>
    /// <param name="flags">The flag behind each property that the engine may name; one of <see cref="FlagNames"/>.</param>
    /// <param name="make">What the engine does.</param>
    /// <exception cref="UsageException">The engine objects.</exception>
    public static T Accepted<T>(IReadOnlyDictionary<string, string> flags, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (ArgumentException e)
        {
            // The runtime appends the parameter's name in its own words: the engine's sentence ends at the first full stop.
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
