using System.ComponentModel;
using System.Diagnostics;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Browser;

/// <summary>Opens a URL in the user's browser. No shell is used, since the URL comes from a server and must never be interpreted as a command.</summary>
internal static class BrowserOpener
{
    /// <param name="url">The URL to open.</param>
    /// <param name="secrets">The secrets that must not be in the browser's environment. Every variable that contains one is removed.</param>
    /// <param name="logger">Logs programs that could not be started.</param>
    /// <returns>Whether a program was started. Whether it shows anything is not known.</returns>
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

    // The output of the started program is read and dropped as long as it runs, since a full or broken pipe would block or end the browser.
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
        // The variable BROWSER has commands in order of preference. `%s` stands for the URL; without it the URL is added at the end.
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

    // The output of the started program must not be mixed with that of mcpproxyfast, which prints only its start and stop lines on stdout.
    private static ProcessStartInfo Command(string file, IEnumerable<string> arguments) => new(file, arguments)
    {
        UseShellExecute = false,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };
}
