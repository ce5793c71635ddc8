namespace McpProxyFast.Credentials;

/// <summary>The possible results of waiting for a credential. The list is closed.</summary>
internal enum CredentialResultKind
{
    /// <summary>The request is sent without a credential. If the upstream has already answered it, the client gets the upstream's answer.</summary>
    PassThrough,

    /// <summary>There is a credential. The request is sent with it, or, if the upstream has already refused it, is sent again with it.</summary>
    Ready,

    /// <summary>There is no credential now. The client gets 503 with <c>Retry-After</c> and a JSON-RPC error.</summary>
    Unavailable,

    /// <summary>The caller must not get a credential. The client gets an answer from the table <see cref="Outcomes.Refusal.For"/>.</summary>
    Refused,

    /// <summary>Something outside the proxy failed. The client gets an answer from the table <see cref="Outcomes.Fault.For"/>.</summary>
    Failed,
}
