namespace McpProxyFast.Bridge.Eras;

/// <summary>How far a join of eras is.</summary>
internal enum JoinState
{
    /// <summary>The server has been asked, and has not answered.</summary>
    Asking,

    /// <summary>Messages are translated.</summary>
    Joined,

    /// <summary>The server does not speak the other era: nothing is translated.</summary>
    Refused,
}
