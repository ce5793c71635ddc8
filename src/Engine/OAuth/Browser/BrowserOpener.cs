using System.ComponentModel;
using System.Diagnostics;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Browser;

/// <summary>Opens a URL in the person's browser, without a shell: the URL comes from a server and must never be read as a command.</summary>
internal static class BrowserOpener
{
    /// <summary>The settings of the command come by variables with these names; secrets are among them.</summary>
    private static readonly string[] OwnPrefixes = ["MCPPROXYFAST_", "TOOLHIVE_"];

    /// <summary>A shorter secret is compared with whole variables only: by chance it may be part of an unrelated one.</summary>
    private const int MinSecretWithin = 8;

    /// <param name="url">What is to be opened.</param>
    /// <param name="secrets">What the browser must not find in its environment, under whatever name it came into ours.</param>
    /// <param name="logger">Told of programs that could not be started.</param>
    /// <returns>Whether a program was started; whether it shows anything is not known.</returns>
    public static bool TryOpen(Uri url, IEnumerable<string?> secrets, ILogger logger)
    {
        if (url.Scheme is not ("https" or "http"))
        {
            return false;
        }

        string[] hidden = [.. secrets.OfType<string>().Where(secret => secret.Length > 0)];
        foreach (ProcessStartInfo opener in Openers(url.AbsoluteUri))
        {
            try
            {
                Hide(opener.Environment, hidden);
                Start(opener);
                return true;
            }
            catch (Exception failure) when (failure is Win32Exception or InvalidOperationException or PlatformNotSupportedException)
            {
                logger.BrowserNotStarted(opener.FileName, failure.Message);
            }
        }

        return false;
    }

    // The browser and all that it starts live long, and run what strangers wrote.
    private static void Hide(IDictionary<string, string?> environment, string[] secrets)
    {
        string[] names =
        [
            .. environment.Where(variable => OwnPrefixes.Any(prefix => variable.Key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
                || secrets.Any(secret => Holds(variable.Value, secret))).Select(variable => variable.Key),
        ];
        Array.ForEach(names, name => environment.Remove(name));
    }

    private static bool Holds(string? value, string secret) =>
        value is not null && (secret.Length < MinSecretWithin ? value == secret : value.Contains(secret, StringComparison.Ordinal));

    // What it prints is read and dropped for as long as it lives: a full or a broken pipe would stop or kill the browser.
    private static void Start(ProcessStartInfo opener)
    {
        var started = new Process { StartInfo = opener, EnableRaisingEvents = true };
        started.Exited += (_, _) => started.Dispose();
        started.Start();
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
    }

    private static IEnumerable<ProcessStartInfo> Openers(string url)
    {
        // BROWSER: commands in order of preference, `%s` standing for the URL; without it the URL comes last.
        foreach (string command in (Environment.GetEnvironmentVariable("BROWSER") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 0)
            {
                bool hasPlace = command.Contains("%s", StringComparison.Ordinal);
                IEnumerable<string> arguments = words.Skip(1).Select(word => word.Replace("%s", url, StringComparison.Ordinal));
                yield return Command(words[0], hasPlace ? arguments : arguments.Append(url));
            }
        }

        yield return OperatingSystem.IsWindows() ? Command("rundll32", ["url.dll,FileProtocolHandler", url])
            : OperatingSystem.IsMacOS() ? Command("open", [url])
            : Command("xdg-open", [url]);
    }

    // What the opener prints must not mix with ours: on stdout only the start line may stand.
    private static ProcessStartInfo Command(string file, IEnumerable<string> arguments) => new(file, arguments)
    {
        UseShellExecute = false,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };
}
