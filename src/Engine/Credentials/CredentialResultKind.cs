namespace McpProxyFast.Credentials;

/// <summary>The closed list of what a wait for a credential ends in.</summary>
internal enum CredentialResultKind
{
    /// <summary>No credential applies: send without, or show the upstream's own answer.</summary>
    PassThrough,

    /// <summary>There is a line: send, or replay, with it.</summary>
    Ready,

    /// <summary>There is none now: 503 with <c>Retry-After</c> and a JSON-RPC error.</summary>
    Unavailable,

    /// <summary>The caller may not have one: an answer of the table of refusals.</summary>
    Refused,

    /// <summary>There is none because of something outside: an answer of the table of faults.</summary>
    Failed,
}
