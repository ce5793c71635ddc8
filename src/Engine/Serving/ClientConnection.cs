using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using McpProxyFast.Admission;
using McpProxyFast.Credentials;
using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Transport;
using McpProxyFast.Upstream;

namespace McpProxyFast.Serving;

/// <summary>One client connection. Serves exchange after exchange until the client or the proxy ends it.</summary>
/// <remarks>
/// One loop (<see cref="RunAsync"/>) owns it. Between two exchanges it holds no <see cref="Exchange"/>, no head and no buffer. Other threads use
/// <see cref="Interrupts"/> only.
/// </remarks>
internal sealed class ClientConnection
{
    /// <summary>Holds the settings of the listener or host call that the client came through.</summary>
    private readonly Doorway _doorway;

    /// <summary>Called when the connection has released everything.</summary>
    private readonly Action _left;

    /// <summary>At least one exchange has ended, so the connection now waits for a further request, not the first.</summary>
    private bool _hasServed;

    /// <summary>The last token and its verdict. Clients send the same token with every request.</summary>
    private TokenMemo _tokenMemo;

    /// <summary>The client's last token, and the token that it was exchanged for.</summary>
    private ExchangeMemo _exchangeMemo;

    /// <param name="parts">The services that all connections share.</param>
    /// <param name="client">The connection; closed at the end.</param>
    /// <param name="doorway">Holds the settings of the listener or host call that the client came through.</param>
    /// <param name="left">Called when the connection has released everything.</param>
    public ClientConnection(SharedServices parts, Connection client, Doorway doorway, Action left)
    {
        Parts = parts;
        Client = client;
        _doorway = doorway;
        _left = left;
        Interrupts = new Interrupts(parts, client);
    }

    /// <summary>The services that all connections share.</summary>
    public SharedServices Parts { get; }

    /// <summary>The transport of the connection to the client.</summary>
    public Connection Client { get; }

    /// <summary>The settings of the listener or host that the client came through: allowed names and URL scheme.</summary>
    public Entrance Entrance => _doorway.Entrance;

    /// <summary>The state that other threads may touch.</summary>
    public Interrupts Interrupts { get; }

    /// <summary>The client got an incomplete response, so it sees a reset, not an orderly close.</summary>
    public bool Resets { get; set; }

    /// <summary>The last token and its verdict, to compare with the next token.</summary>
    public ref TokenMemo TokenMemo => ref _tokenMemo;

    /// <summary>The client's last token and the token that it was exchanged for, to compare with the client's next token.</summary>
    public ref ExchangeMemo ExchangeMemo => ref _exchangeMemo;

    /// <summary>Serves until the end. Never throws: any failure was reported to the client or has cut the connection.</summary>
    public async Task RunAsync()
    {
        int number = Parts.Connections.Add(Interrupts);
        Exchange? exchange = null;
        try
        {
            while (await WaitForRequestAsync().ConfigureAwait(false))
            {
                exchange = Exchange.Rent(this);
                ExchangeProgress progress = await exchange.RunAsync().ConfigureAwait(false);
                if (progress is ExchangeProgress.Streaming)
                {
                    // Awaited only here: a stream can last for days, and must not keep the suspended methods of the stages in memory.
                    RelayEnd end = await exchange.Response.StreamAsync().ConfigureAwait(false);
                    progress = await exchange.EndAsync(end).ConfigureAwait(false);
                }

                Exchange.Return(exchange);
                exchange = null;
                _hasServed = true;
                if (progress is ExchangeProgress.Close)
                {
                    break;
                }
            }
        }
        catch (Exception bug)
        {
            // Unexpected exceptions of an exchange are caught here. Bad input and broken peers do not throw: they are return values.
            Resets = true;
            Parts.Logger.ConnectionCut(bug);
        }

        if (exchange is not null)
        {
            await AbandonAsync(exchange).ConfigureAwait(false);
        }

        Parts.Connections.Remove(number);
        LeaveForGood();
    }

    /// <summary>Waits for the first byte of a request. The byte stays in the buffer.</summary>
    /// <returns>False if there is no further request: the client disconnected or was silent for too long, or the proxy drains.</returns>
    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private async ValueTask<bool> WaitForRequestAsync()
    {
        bool hasCome = false;
        Interrupts.Await(Wait.Idle, _hasServed ? Parts.Limits.IdleTimeout : Parts.Limits.HeaderTimeout);
        while (!hasCome && !Interrupts.IsDraining && !Interrupts.IsCut)
        {
            ReadResult read = await Client.Input.ReadAsync().ConfigureAwait(false);
            hasCome = !read.Buffer.IsEmpty;
            Client.Input.AdvanceTo(read.Buffer.Start);
            if (!hasCome && (read.IsCompleted || Interrupts.HasTimedOut))
            {
                break;
            }
        }

        Interrupts.StopWaiting();
        return hasCome;
    }

    /// <summary>Ends an exchange that an internal error interrupted, so that its pump stops before the connection is closed.</summary>
    private async ValueTask<ExchangeProgress> AbandonAsync(Exchange exchange)
    {
        try
        {
            await exchange.AbandonAsync().ConfigureAwait(false);
        }
        catch (Exception bug)
        {
            Parts.Logger.ExchangeNotEnded(bug);
        }

        return ExchangeProgress.Close;
    }

    /// <summary>Closes the connection, and reports that it has ended even if closing fails. Otherwise it would count as open for ever.</summary>
    private void LeaveForGood()
    {
        try
        {
            Leave();
        }
        catch (Exception bug)
        {
            Parts.Logger.ConnectionNotClosed(bug);
        }
        finally
        {
            _left();
        }
    }

    private void Leave()
    {
        Client.Input.Unwatch();
        if (Interrupts.Upstream is { } upstream)
        {
            Interrupts.Upstream = null;
            if (!Interrupts.IsCut && upstream.IsIdle && upstream.TryTake())
            {
                Parts.Pool.Return(upstream);
            }
            else
            {
                upstream.Transport.Close(reset: false);
            }
        }

        // A client that does not read gets a reset. After an orderly close, the system would keep the unsent bytes for as long as the client likes.
        Client.Close(Resets || Interrupts.CutReason is FaultReason.ClientTooSlow);
    }
}
