namespace McpProxyFast.Serving;

/// <summary>How much of the request has been sent to the upstream.</summary>
internal enum SendState : byte
{
    /// <summary>Nothing has been sent.</summary>
    Head,

    /// <summary>Part of it has been sent.</summary>
    Body,

    /// <summary>All of it has been sent.</summary>
    Done,

    /// <summary>Part of it has been sent, and no more will be.</summary>
    Failed,
}

/// <summary>How much of the final response has been sent to the client.</summary>
internal enum ReceiveState : byte
{
    /// <summary>Nothing has been sent.</summary>
    Head,

    /// <summary>Part of it has been sent.</summary>
    Body,

    /// <summary>All of it has been sent.</summary>
    Done,

    /// <summary>Part of it has been sent, and no more will be.</summary>
    Failed,
}

/// <summary>Decides which connections may carry another exchange. Nothing else decides this.</summary>
internal static class ReuseRule
{
    /// <summary>A connection is reused only if the request and the response are both done, and its peer keeps it open. In doubt, it is closed.</summary>
    /// <param name="send">The state of the request.</param>
    /// <param name="receive">The state of the response.</param>
    /// <param name="clientKeepsAlive">The client was told that its connection stays open.</param>
    /// <param name="upstreamKeepsAlive">The upstream said that its connection stays open.</param>
    /// <param name="isDisturbed">A wait was cancelled during the exchange: a late cancellation could still hit the next exchange.</param>
    public static (bool Client, bool Upstream) Decide(SendState send, ReceiveState receive, bool clientKeepsAlive, bool upstreamKeepsAlive, bool isDisturbed)
    {
        bool isWhole = send is SendState.Done && receive is ReceiveState.Done && !isDisturbed;
        return (isWhole && clientKeepsAlive, isWhole && upstreamKeepsAlive);
    }

    /// <summary>Whether the client's connection is reused after a response of the proxy's own. The upstream connection, if there was one, was closed.</summary>
    /// <param name="clientKeepsAlive">The client was told that its connection stays open, and its whole request arrived and was skipped.</param>
    /// <param name="isAnswered">The whole response was handed to the client's connection.</param>
    /// <param name="isDisturbed">See <see cref="Decide"/>.</param>
    public static bool DecideAfterOwnReply(bool clientKeepsAlive, bool isAnswered, bool isDisturbed) => clientKeepsAlive && isAnswered && !isDisturbed;

    /// <summary>Whether a request that failed without a byte of response may be sent again, on a new connection.</summary>
    /// <remarks>
    /// Only for the first attempt, and only if the connection had carried an exchange before (the upstream may have closed it just when it was used), the whole
    /// request is still held, and the method is idempotent (RFC 9110 §9.2.2). A POST is never retried: the upstream may have processed it, even if its system
    /// has acknowledged no byte of it. Instead, a kept connection is checked right before it is used.
    /// </remarks>
    public static bool MayRetry(bool wasReused, bool isHeld, bool isIdempotent, int attempt) => wasReused && isHeld && isIdempotent && attempt == 0;
}
