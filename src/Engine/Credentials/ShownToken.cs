using System.Text;
using McpProxyFast.OAuth;

namespace McpProxyFast.Credentials;

/// <summary>The token of a credential as bytes, to send in an exchange. Read once per credential line.</summary>
/// <param name="source">The credential.</param>
/// <param name="isIdToken">Whether to use the credential's ID token, if it comes from a sign-in.</param>
internal sealed class ShownToken(UpstreamCredentials source, bool isIdToken)
{
    private static readonly byte[] Prefix = "Authorization: Bearer "u8.ToArray();
    private static readonly byte[] LineEnd = "\r\n"u8.ToArray();

    /// <summary>The last reading; null before the first.</summary>
    private volatile Reading? _last;

    /// <summary>The current token; empty if there is none.</summary>
    /// <remarks>On the request path: allocates only when the credential has changed.</remarks>
    public byte[] Current => source.Current is { } line ? Of(line) : [];

    /// <summary>The token before the last renewal of a sign-in; empty if there is none.</summary>
    public byte[] Previous => _last is { } last ? last.Before : [];

    /// <summary>The token of a line; empty if the line has no bearer token.</summary>
    public byte[] Of(CredentialLine line)
    {
        if (_last is { } last && ReferenceEquals(last.Token, line.Token))
        {
            return last.Bytes;
        }

        byte[] bytes = Read(line);

        // Only a renewal is about the same person. After another sign-in nothing of the last one's is sent any more.
        bool isRenewal = _last?.Token is HeldCredential before
            && line.Token is HeldCredential { RenewedToken: { } renewed }
            && renewed == before.Tokens.AccessToken;
        _last = new Reading(line.Token, bytes, isRenewal ? _last!.Bytes : []);
        return bytes;
    }

    private byte[] Read(CredentialLine line)
    {
        if (isIdToken && line.Token is HeldCredential held)
        {
            return Encoding.UTF8.GetBytes(held.Tokens.IdToken ?? "");
        }

        ReadOnlySpan<byte> bytes = line.Bytes.Span;
        return bytes.StartsWith(Prefix) && bytes.EndsWith(LineEnd) ? bytes[Prefix.Length..^LineEnd.Length].ToArray() : [];
    }

    /// <param name="Token">Identity of the line's token, by reference.</param>
    /// <param name="Bytes">The token.</param>
    /// <param name="Before">The token that it replaced.</param>
    private sealed record Reading(object Token, byte[] Bytes, byte[] Before);
}
