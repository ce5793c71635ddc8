using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Admission;

/// <summary>What an <c>Authorization</c> field contains.</summary>
internal enum BearerRead : byte
{
    /// <summary>
    /// There is no bearer token: the request has no such field, or the field has another scheme. The challenge names no error (RFC 6750 §3.1).
    /// </summary>
    None,

    /// <summary>The scheme is Bearer, but what follows is not a token.</summary>
    Malformed,

    Token,
}

/// <summary>Reads the token from <c>Authorization: Bearer …</c>.</summary>
/// <remarks>
/// <c>credentials = "Bearer" 1*SP b64token</c>, RFC 6750 §2.1; the scheme's case does not count (RFC 9110 §11.1).
/// <c>b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="</c>
/// </remarks>
internal static class BearerToken
{
    /// <summary>The maximum length of a token: 16 KiB; a longer one is refused. Tokens of identity providers usually have less than 4 KiB.</summary>
    public const int MaxBytes = 16 * 1024;

    /// <param name="fieldValue">The value of the only <c>Authorization</c> field, without spaces around it; empty if there is none.</param>
    /// <param name="token">The token; empty if there is none.</param>
    public static BearerRead Read(ReadOnlySpan<byte> fieldValue, out ReadOnlySpan<byte> token)
    {
        token = default;
        int schemeLength = fieldValue.IndexOf((byte)' ');
        ReadOnlySpan<byte> scheme = schemeLength < 0 ? fieldValue : fieldValue[..schemeLength];
        if (!Ascii.EqualsIgnoreCase(scheme, "bearer"u8))
        {
            return BearerRead.None;
        }

        ReadOnlySpan<byte> rest = fieldValue[scheme.Length..].TrimStart((byte)' ');
        if (rest.Length > MaxBytes || !IsToken(rest))
        {
            return BearerRead.Malformed;
        }

        token = rest;
        return BearerRead.Token;
    }

    private static bool IsToken(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> unpadded = text.TrimEnd((byte)'=');
        return !unpadded.IsEmpty && !unpadded.ContainsAnyExcept(Grammar.Token68Bytes);
    }
}
