namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>Which heads requests and answers have.</summary>
internal enum HeadKind
{
    /// <summary>As few and as short as they can be: what a step of the proxy costs.</summary>
    Small,

    /// <summary>As real clients and servers send them, with a token of 900 bytes.</summary>
    Real,
}
