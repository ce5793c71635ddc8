using System.Text;

namespace McpProxyFast.Rewriting;

/// <summary>The upstream's origin, as the upstream itself writes it in its answers.</summary>
/// <remarks>
/// A server behind a TLS terminator often believes that it is an http server. So for an https upstream, a URL with http and the same authority also means the
/// upstream. If a client used such a URL unchanged, it would bypass the proxy, the proxy's credential and TLS.
/// </remarks>
internal sealed class UpstreamOrigin
{
    /// <summary>The origin (scheme and authority) in every spelling: with and without the default port, and for https also with http.</summary>
    private readonly byte[][] _spellings;

    public UpstreamOrigin(Uri target)
    {
        string own = target.GetLeftPart(UriPartial.Authority);
        var spellings = new List<string> { own };
        if (target.IsDefaultPort)
        {
            spellings.Add(own + (target.Scheme == Uri.UriSchemeHttps ? ":443" : ":80"));
        }

        if (target.Scheme == Uri.UriSchemeHttps)
        {
            string plain = Uri.UriSchemeHttp + own[Uri.UriSchemeHttps.Length..];
            spellings.AddRange(target.IsDefaultPort ? [plain, plain + ":80"] : [plain]);
        }

        _spellings = spellings.ConvertAll(Encoding.ASCII.GetBytes).ToArray();
    }

    /// <summary>
    /// Returns what follows the origin in a URL on this origin: path, query and fragment; the path may be missing. Empty for a URL on any other origin, or one
    /// that ends with the origin.
    /// </summary>
    public ReadOnlySpan<byte> Behind(ReadOnlySpan<byte> url)
    {
        foreach (byte[] origin in _spellings)
        {
            if (url.Length > origin.Length
                && Ascii.EqualsIgnoreCase(url[..origin.Length], origin)
                && url[origin.Length] is (byte)'/' or (byte)'?' or (byte)'#')
            {
                return url[origin.Length..];
            }
        }

        return default;
    }

    /// <summary>Whether a URL may be on this origin if only its beginning has been received.</summary>
    public bool MayBegin(ReadOnlySpan<byte> url)
    {
        foreach (byte[] origin in _spellings)
        {
            int common = Math.Min(url.Length, origin.Length);
            if (Ascii.EqualsIgnoreCase(url[..common], origin.AsSpan(0, common)))
            {
                return true;
            }
        }

        return false;
    }
}
