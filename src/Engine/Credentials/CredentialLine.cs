using System.Text;

namespace McpProxyFast.Credentials;

/// <summary>The ready-made field lines that carry a credential. Immutable; published by one reference write.</summary>
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

    /// <summary>The bytes to insert into the head: complete field lines.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>An object that stands for the token in the line and is compared by reference. It is never the text of the token.</summary>
    public object Token { get; }

    /// <param name="authorization">The value of the field, such as <c>Bearer</c> and the token.</param>
    /// <param name="endsAt">From when on the line is not sent any more; null to send it until the upstream refuses it.</param>
    /// <param name="token">The object that stands for the token.</param>
    /// <param name="field">The name of the field.</param>
    /// <exception cref="ArgumentException">The value has characters that a field value must not have.</exception>
    public static CredentialLine For(string authorization, DateTimeOffset? endsAt, object token, string field = "Authorization")
    {
        // A line break here would let the issuer of the token write fields of its own.
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
