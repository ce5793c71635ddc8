using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace McpProxyFast.OAuth.Store;

/// <summary>An entry of the store: the credential for one target and policy, or one named secret.</summary>
internal sealed record StoredEntry
{
    public static readonly StoredEntry Empty = new();

    /// <summary>The target's URL, or the name of the secret, for listings of the store.</summary>
    public string Target { get; init => field = value ?? ""; } = "";

    public IssuedCredential? Issued { get; init; }

    /// <summary>
    /// Whether somebody has signed out. As long as this is true, processes do not store the credentials that they still have. A new sign-in by a person resets
    /// it.
    /// </summary>
    public bool IsSignedOut { get; init; }

    /// <summary>The value of a named secret; null if the entry is not a named secret, or the secret has been deleted.</summary>
    public string? Secret { get; init; }

    /// <summary>The number of times that the entry has been changed, by all processes together.</summary>
    public long Generation { get; init; }

    /// <summary>The registered clients, by issuer (MCP 2026-07-28: a client's credentials belong to one issuer).</summary>
    public ImmutableDictionary<string, ClientIdentity> Registrations
    {
        get;
        init => field = value ?? []; // The generated deserializer sets a missing member to null.
    } = [];

    /// <summary>The times within the last hour at which a person was asked to sign in.</summary>
    public IReadOnlyList<DateTimeOffset> SignIns { get; init => field = value ?? []; } = [];

    /// <summary>The private DPoP key that the tokens are bound to (PKCS #8, in Base64); null if they are bound to none.</summary>
    [JsonPropertyName("proof_key")]
    public string? DPoPKey { get; init; }

    /// <summary>A description for logs, without a secret.</summary>
    public override string ToString() => Secret is not null ? $"{Target}, a secret" : $"{Target}, {Issued?.ToString() ?? "not signed in"}";
}
