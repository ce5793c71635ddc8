namespace McpProxyFast.Serving;

/// <summary>How far the request has gone, client to upstream.</summary>
internal enum SendState : byte
{
    /// <summary>Nothing of it has been sent.</summary>
    Head,

    /// <summary>A part of it has been sent.</summary>
    Body,

    /// <summary>All of it has been sent.</summary>
    Done,

    /// <summary>A part of it has been sent, and no more will be.</summary>
    Failed,
}

/// <summary>How far the final response has gone, upstream to client.</summary>
internal enum ReceiveState : byte
{
    /// <summary>Nothing of it has been sent to the client.</summary>
    Head,

    /// <summary>A part of it has been sent to the client.</summary>
    Body,

    /// <summary>All of it has been sent to the client.</summary>
    Done,

    /// <summary>A part of it has been sent to the client, and no more will be.</summary>
    Failed,
}

/// <summary>The one table that decides what may carry another exchange.</summary>
internal static class ReuseRule
{
    /// <summary>A connection goes on only where both directions are done and its peer wants to; every doubt closes it.</summary>
    /// <param name="send">The request.</param>
    /// <param name="receive">The response.</param>
    /// <param name="clientKeepsAlive">The client was told that its connection stays open.</param>
    /// <param name="upstreamKeepsAlive">The upstream said so of its own.</param>
    /// <param name="isDisturbed">A wait was cancelled on the way: a cancellation that comes late could still hit the next exchange.</param>
    public static (bool Client, bool Upstream) Decide(SendState send, ReceiveState receive, bool clientKeepsAlive, bool upstreamKeepsAlive, bool isDisturbed)
    {
        bool isWhole = send is SendState.Done && receive is ReceiveState.Done && !isDisturbed;
        return (isWhole && clientKeepsAlive, isWhole && upstreamKeepsAlive);
    }

    /// <summary>The same where the proxy has answered by itself: its upstream connection, if any, has been closed.</summary>
    /// <param name="clientKeepsAlive">The client was told that its connection stays open, and all of its request has come and was skipped.</param>
    /// <param name="isAnswered">The client's system has taken the answer.</param>
    /// <param name="isDisturbed">As in <see cref="Decide"/>.</param>
    public static bool DecideAfterOwnReply(bool clientKeepsAlive, bool isAnswered, bool isDisturbed) => clientKeepsAlive && isAnswered && !isDisturbed;

    /// <summary>Whether a request that failed without a byte of response may be sent once more, on a fresh connection.</summary>
    /// <remarks>
    /// Only where the connection had carried an exchange before (so that its upstream may have closed it at the very moment of its use), the whole request
    /// is still held, and the method is idempotent (RFC 9110 §9.2.2). A POST never: that nothing of it was acknowledged does not say that nothing of it was
    /// processed, since systems delay acknowledgements for longer than servers need. A kept connection is looked at right before its use instead.
    /// </remarks>
    public static bool MayRetry(bool wasReused, bool isHeld, bool isIdempotent, int attempt) => wasReused && isHeld && isIdempotent && attempt == 0;
}
