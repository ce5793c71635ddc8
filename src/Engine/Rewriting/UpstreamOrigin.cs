using System.Text;

namespace McpProxyFast.Rewriting;

/// <summary>The upstream's origin, as the upstream itself writes it in its answers.</summary>
/// <remarks>
/// A server behind a TLS terminator often takes itself for an http server. So for an https upstream the same authority with http means the upstream too: it
/// is reached by https in any case, and a client that took the URL as it stands would go around the proxy, its credential and TLS.
/// </remarks>
internal sealed class UpstreamOrigin
{
    /// <summary>Scheme and authority in every spelling: with a default port left out and written, and with the lower scheme.</summary>
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

    /// <summary>What follows the origin in a URL on it: path, query and fragment, of which the first may be missing; empty for every other URL.</summary>
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

    /// <summary>Whether a URL that has not come whole may be on the origin.</summary>
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
