using System.Text;

namespace McpProxyFast.Credentials;

/// <summary>
/// The header lines that carry a credential, as ready-made bytes. Immutable, so that another thread can replace the object while requests use it.
/// </summary>
internal sealed class CredentialLine
{
    private readonly byte[] _bytes;
    private readonly long _endsAtTicks;

    private CredentialLine(byte[] fieldLines, long endsAtTicks, object token)
    {
        _bytes = fieldLines;
        _endsAtTicks = endsAtTicks;
        Token = token;
    }

    /// <summary>The complete header lines, each with its CRLF, to insert into the request's head.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>An object that identifies the token in the line. It is compared by reference, and is never the text of the token.</summary>
    public object Token { get; }

    /// <param name="authorization">The value of the header field, such as <c>Bearer</c> and the token.</param>
    /// <param name="endsAt">When the line stops being sent; null if it is sent until the upstream refuses it.</param>
    /// <param name="token">The object that identifies the token.</param>
    /// <param name="field">The name of the header field.</param>
    /// <exception cref="ArgumentException">The value has characters that a field value must not have.</exception>
    public static CredentialLine For(string authorization, DateTimeOffset? endsAt, object token, string field = "Authorization")
    {
        // A line break in the value would let the issuer of the token add fields of its own.
        if (authorization.Any(character => character is < ' ' or >= (char)127))
        {
            throw new ArgumentException(
                "The credential contains characters that a header field value must not contain, such as a line break.", nameof(authorization));
        }

        return new CredentialLine(Encoding.ASCII.GetBytes($"{field}: {authorization}\r\n"), endsAt?.UtcTicks ?? long.MaxValue, token);
    }

    /// <summary>Returns a line with the same token and a DPoP proof for one request (RFC 9449 §7.1).</summary>
    public CredentialLine WithProof(string proof) => new([.. _bytes, .. Encoding.ASCII.GetBytes($"DPoP: {proof}\r\n")], _endsAtTicks, Token);

    public bool IsGoodAt(DateTimeOffset now) => now.UtcTicks < _endsAtTicks;

    /// <summary>A text for logs without the credential.</summary>
    public override string ToString() => "CredentialLine (redacted)";
}
