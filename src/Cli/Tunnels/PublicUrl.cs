using System.Diagnostics.CodeAnalysis;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>The address of a tunnel's other end. An agent's words are not trusted more than a server's.</summary>
internal static class PublicUrl
{
    /// <summary>Longest one that is read.</summary>
    private const int MaxCharacters = 2_048;

    /// <summary>Whether the text is an http or https URL without a name, password, query or fragment.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Uri? url) =>
        Uri.TryCreate(text, UriKind.Absolute, out url)
        && text!.Length <= MaxCharacters
        && url is { Scheme: "http" or "https", UserInfo.Length: 0, Query.Length: 0, Fragment.Length: 0, Host.Length: > 0 };

    /// <summary>As it is printed: without the slash that stands for no path.</summary>
    public static string Shown(Uri url) => url.AbsolutePath == "/" ? url.GetLeftPart(UriPartial.Authority) : url.AbsoluteUri;
}
