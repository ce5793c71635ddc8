namespace McpProxyFast.Bridge.Eras;

/// <summary>The state of the translation between a client and a server of different eras.</summary>
internal enum JoinState
{
    /// <summary>The server was asked whether it speaks the other era, and has not answered yet.</summary>
    Asking,

    /// <summary>Messages are translated.</summary>
    Joined,

    /// <summary>The server does not speak the other era: nothing is translated.</summary>
    Refused,
}
