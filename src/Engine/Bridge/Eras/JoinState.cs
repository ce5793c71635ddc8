namespace McpProxyFast.Bridge.Eras;

/// <summary>The state of the translation between a client and a server of different eras.</summary>
internal enum JoinState
{
    /// <summary>The server was asked whether it speaks revision 2026-07-28, and has not answered yet.</summary>
    Asking,

    /// <summary>Messages are translated.</summary>
    Joined,

    /// <summary>The server has not said that it speaks revision 2026-07-28, so nothing is translated.</summary>
    Refused,
}
