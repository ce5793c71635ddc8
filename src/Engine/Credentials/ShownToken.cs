using System.Text;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.Credentials;

/// <summary>The token of a credential, as bytes to show at an exchange: read once for each line that the credential has.</summary>
/// <param name="source">The credential.</param>
/// <param name="isIdToken">Whether its ID token is meant, where it has one.</param>
internal sealed class ShownToken(UpstreamCredentials source, bool isIdToken)
{
    private static readonly byte[] Prefix = "Authorization: Bearer "u8.ToArray();
    private static readonly byte[] LineEnd = "\r\n"u8.ToArray();

    /// <summary>What was read last; null before the first.</summary>
    private volatile Reading? _last;

    /// <summary>Where the token comes from.</summary>
    public UpstreamCredentials Source => source;

    /// <summary>The token that can be shown now; empty where there is none.</summary>
    /// <remarks>On the request path: allocates only when the credential has a new line.</remarks>
    public byte[] Current => source.Current is { } line ? Of(line) : [];

    /// <summary>The one before, where the credential was renewed by itself; empty where there is none.</summary>
    public byte[] Previous => _last is { } last ? last.Before : [];

    /// <summary>The token of a line; empty where the line has none that could be shown.</summary>
    public byte[] Of(CredentialLine line)
    {
        if (_last is { } last && ReferenceEquals(last.Token, line.Token))
        {
            return last.Bytes;
        }

        byte[] bytes = Read(line);
        bool isRenewal = _last?.Token is IssuedCredential && line.Token is IssuedCredential;
        _last = new Reading(line.Token, bytes, isRenewal ? _last!.Bytes : []);
        return bytes;
    }

    private byte[] Read(CredentialLine line)
    {
        if (isIdToken && line.Token is IssuedCredential issued)
        {
            return Encoding.UTF8.GetBytes(issued.Tokens.IdToken ?? "");
        }

        ReadOnlySpan<byte> bytes = line.Bytes.Span;
        return bytes.StartsWith(Prefix) && bytes.EndsWith(LineEnd) ? bytes[Prefix.Length..^LineEnd.Length].ToArray() : [];
    }

    /// <param name="Token">Of which line, by reference.</param>
    /// <param name="Bytes">The token.</param>
    /// <param name="Before">The token that it has replaced.</param>
    private sealed record Reading(object Token, byte[] Bytes, byte[] Before);
}
