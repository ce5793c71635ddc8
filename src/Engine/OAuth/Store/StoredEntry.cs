using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace McpProxyFast.OAuth.Store;

/// <summary>What is kept for one target and policy, or under the name of one secret.</summary>
internal sealed record StoredEntry
{
    public static readonly StoredEntry Empty = new();

    /// <summary>The target, or the name of a secret, for people who list the store.</summary>
    public string Target { get; init => field = value ?? ""; } = "";

    public IssuedCredential? Issued { get; init; }

    /// <summary>Somebody has signed out: what a process still holds is not written back, until somebody signs in.</summary>
    public bool IsSignedOut { get; init; }

    /// <summary>What is kept under a name of the operator's; null in every other entry, and if it has been deleted.</summary>
    public string? Secret { get; init; }

    /// <summary>How often the entry has been changed, by whichever process.</summary>
    public long Generation { get; init; }

    /// <summary>The clients that were registered, by issuer (MCP 2026-07-28: credentials belong to one issuer).</summary>
    public ImmutableDictionary<string, ClientIdentity> Registrations
    {
        get;
        init => field = value ?? []; // Generated deserialisers set what the JSON lacks to null.
    } = [];

    /// <summary>When persons were asked to sign in, within the last hour.</summary>
    public IReadOnlyList<DateTimeOffset> SignIns { get; init => field = value ?? []; } = [];

    /// <summary>The private key to which the tokens are bound, PKCS #8 as base64.</summary>
    [JsonPropertyName("proof_key")]
    public string? DPoPKey { get; init; }

    /// <summary>Says what this is about, without a secret.</summary>
    public override string ToString() => Secret is not null ? $"{Target}, a secret" : $"{Target}, {Issued?.ToString() ?? "not signed in"}";
}
