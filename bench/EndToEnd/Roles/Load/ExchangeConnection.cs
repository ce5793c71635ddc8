using System.Net.Sockets;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>A connection that sends one request at a time and checks its answer.</summary>
internal sealed class ExchangeConnection(EventLoop loop, Socket socket, RequestTemplate request, AnswerCheck check, Action<ExchangeConnection> answered)
    : Connection(loop, socket, readsResponses: true)
{
    // Ids are unique over all connections, so that an answer which reaches the wrong one is seen.
    private static long LastId;

    private bool _isWaiting;

    /// <summary>When the request was due: its latency counts from then, not from when it could be sent.</summary>
    public long DueAt { get; private set; }

    public void Start(long dueAt)
    {
        DueAt = dueAt;
        _isWaiting = true;
        long id = ++LastId;
        check.Start(id);
        SendReused(request.With(id));
    }

    public override void OnHead(in MessageHead head)
    {
        if (head.Status != 200 || !_isWaiting)
        {
            throw new WrongAnswerException($"An answer is {head.Status}{(_isWaiting ? string.Empty : ", without a request")}.");
        }
    }

    public override void OnBody(ReadOnlySpan<byte> body) => check.Take(body);

    public override void OnEnd()
    {
        check.End();
        _isWaiting = false;
        answered(this);
    }

    protected override void OnMalformed(InvalidDataException fault) => throw new WrongAnswerException(fault.Message);

    protected override void OnClosedByPeer() => throw new WrongAnswerException(
        _isWaiting ? "A connection was closed before the answer was whole." : "A connection was closed between requests.");
}
