using System.Text;
using McpProxyFast.OAuth;

namespace McpProxyFast.Credentials;

/// <summary>The token of a credential, as bytes to send in a token exchange. Each token is converted once.</summary>
/// <param name="source">The source of the credential.</param>
/// <param name="isIdToken">Whether to use the credential's ID token, if it comes from a sign-in.</param>
internal sealed class ShownToken(UpstreamCredentials source, bool isIdToken)
{
    private static readonly byte[] Prefix = "Authorization: Bearer "u8.ToArray();
    private static readonly byte[] LineEnd = "\r\n"u8.ToArray();

    /// <summary>The token that was converted last; null before the first.</summary>
    private volatile Reading? _last;

    /// <summary>The current token; empty if there is none.</summary>
    /// <remarks>On the request path: allocates only when the credential has changed.</remarks>
    public byte[] Current => source.Current is { } line ? Of(line) : [];

    /// <summary>Returns the token of a credential line; empty if the line has no bearer token.</summary>
    public byte[] Of(CredentialLine line) => ReadingOf(line).Bytes;

    /// <summary>Returns the earlier token that the line's token has replaced, if both come from the same sign-in; otherwise empty.</summary>
    public byte[] BeforeOf(CredentialLine line) => ReadingOf(line).Before;

    private Reading ReadingOf(CredentialLine line)
    {
        Reading? last = _last;
        if (last is not null && ReferenceEquals(last.Token, line.Token))
        {
            return last;
        }

        // Tokens of one sign-in are for the same person. After another sign-in, a token of the earlier sign-in must not be sent.
        bool isSame = last?.Token is HeldCredential { Issued.SignIn: { } signIn } && signIn == (line.Token as HeldCredential)?.Issued.SignIn;
        var reading = new Reading(line.Token, Read(line), isSame ? last!.Bytes : []);
        _last = reading;
        return reading;
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

    /// <param name="Token">The object that identifies the line's token, compared by reference.</param>
    /// <param name="Bytes">The token.</param>
    /// <param name="Before">The earlier token, of the same sign-in, that this one has replaced; empty if there is none.</param>
    private sealed record Reading(object Token, byte[] Bytes, byte[] Before);
}
