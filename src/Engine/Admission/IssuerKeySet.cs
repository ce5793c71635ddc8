using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.Admission;

/// <summary>The signing keys that an issuer published at the time of one fetch. Immutable.</summary>
internal sealed class IssuerKeySet
{
    /// <summary>The maximum number of usable keys that are taken from one set. Issuers publish two to ten. Further keys are ignored.</summary>
    public const int MaxKeys = 64;

    /// <summary>
    /// The maximum number of keys of a set that are read, usable or not; further ones are ignored. <see cref="MaxKeys"/> counts only usable keys, but each key
    /// takes time to read.
    /// </summary>
    public const int MaxMembers = 1_024;

    /// <summary>The maximum number of keys that are tried for one token. Usually it matters only for a token without <c>kid</c>.</summary>
    public const int MaxTried = 8;

    public static readonly IssuerKeySet Empty = new([]);

    /// <summary>The usable keys, in the order in which they were published. Never changes.</summary>
    private readonly IssuerKey[] _keys;

    private IssuerKeySet(IssuerKey[] keys) => _keys = keys;

    /// <summary>Reads a JWK set, RFC 7517 §5.</summary>
    /// <exception cref="IOException">The JSON is not a JWK set, or no key in it is usable.</exception>
    public static IssuerKeySet Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json.WithoutByteOrderMark());
            IEnumerable<JsonElement> published = document.RootElement.GetProperty("keys").EnumerateArray().Take(MaxMembers);
            IssuerKey[] keys = [.. published.Select(IssuerKey.Read).OfType<IssuerKey>().Take(MaxKeys)];
            return keys.Length > 0 ? new IssuerKeySet(keys) : throw new IOException("the issuer's key set has no RSA or EC key that can check signatures");
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new IOException("the issuer's key set is not a JSON Web Key Set: a JSON object with the array keys", fault);
        }
    }

    /// <summary>Returns the keys that may have signed a token with this header.</summary>
    /// <param name="keyId">The token's <c>kid</c>; null if it has none. Then any key that fits the algorithm may have signed it.</param>
    /// <param name="algorithm">The token's <c>alg</c>.</param>
    public IReadOnlyList<SecurityKey> Find(string? keyId, string algorithm) =>
        [.. _keys.Where(key => (keyId is null || key.KeyId == keyId) && key.Fits(algorithm)).Select(key => key.Key).Take(MaxTried)];

    /// <summary>Whether a key of this set is missing from a later set.</summary>
    public bool HasLostAKeyIn(IssuerKeySet later) => !_keys.All(key => later._keys.Any(other => other.Fingerprint == key.Fingerprint));

    public bool HasSameKeysAs(IssuerKeySet other) => !HasLostAKeyIn(other) && !other.HasLostAKeyIn(this);
}
