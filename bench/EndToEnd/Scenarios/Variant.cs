namespace McpProxyFast.EndToEnd.Scenarios;

/// <summary>What a scenario asks of the subject beyond forwarding; a subject says which of these it can do.</summary>
internal enum Variant
{
    Plain,

    /// <summary>Requests carry a JWT, which the subject checks; one without a token must get 401.</summary>
    JwtProtected,

    /// <summary>Requests carry a JWT, which the subject passes on: what a token costs that nothing is done with.</summary>
    TokenCarried,

    /// <summary>The subject adds a bearer token, which the origin checks.</summary>
    TokenInjected,

    /// <summary>Requests carry a JWT, which the subject exchanges at the origin's token endpoint; the origin checks what came of it.</summary>
    TokenExchanged,

    /// <summary>The subject adds three fields to each request, of which the origin checks one.</summary>
    FieldsAdded,

    /// <summary>The upstream speaks TLS, and the subject verifies its certificate.</summary>
    TlsUpstream,
}
