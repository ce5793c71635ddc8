using System.Diagnostics.CodeAnalysis;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>The public address of a tunnel. It comes from an agent's output, so it is checked like any URL from outside.</summary>
internal static class PublicUrl
{
    /// <summary>The maximum length of a URL in characters.</summary>
    private const int MaxCharacters = 2_048;

    /// <summary>Whether the text is an http or https URL without user information, query and fragment.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Uri? url) =>
        Uri.TryCreate(text, UriKind.Absolute, out url)
        && text!.Length <= MaxCharacters
        && url is { Scheme: "http" or "https", UserInfo.Length: 0, Query.Length: 0, Fragment.Length: 0, Host.Length: > 0 };

    /// <summary>Returns the URL as it is printed: without the slash at the end if it has no path.</summary>
    public static string Shown(Uri url) => url.AbsolutePath == "/" ? url.GetLeftPart(UriPartial.Authority) : url.AbsoluteUri;
}
