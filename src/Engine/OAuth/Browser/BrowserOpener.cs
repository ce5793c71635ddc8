using System.ComponentModel;
using System.Diagnostics;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Browser;

/// <summary>Opens a URL in the person's browser, without a shell: the URL comes from a server and must never be read as a command.</summary>
internal static class BrowserOpener
{
    /// <param name="url">What is to be opened.</param>
    /// <param name="secrets">What the browser must not find in its environment, under whatever name it came into ours.</param>
    /// <param name="logger">Logs programs that could not be started.</param>
    /// <returns>Whether a program was started; whether it shows anything is not known.</returns>
    public static bool TryOpen(Uri url, IEnumerable<string?> secrets, ILogger logger)
    {
        if (url.Scheme is not ("https" or "http"))
        {
            return false;
        }

        string[] hidden = [.. secrets.OfType<string>()];
        foreach (ProcessStartInfo opener in Openers(url.AbsoluteUri))
        {
            try
            {
                ChildEnvironment.Hide(opener.Environment, hidden);
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
