namespace McpProxyFast.Credentials;

/// <summary>The possible results of waiting for a credential. The list is closed.</summary>
internal enum CredentialResultKind
{
    /// <summary>No credential applies. The request is sent without one, or the client gets the upstream's own answer.</summary>
    PassThrough,

    /// <summary>There is a credential. The request is sent, or sent again, with it.</summary>
    Ready,

    /// <summary>There is no credential now. The client gets 503 with <c>Retry-After</c> and a JSON-RPC error.</summary>
    Unavailable,

    /// <summary>The caller may not have a credential. The client gets an answer from the table <see cref="Outcomes.Refusal.For"/>.</summary>
    Refused,

    /// <summary>Something outside the proxy failed. The client gets an answer from the table <see cref="Outcomes.Fault.For"/>.</summary>
    Failed,
}
