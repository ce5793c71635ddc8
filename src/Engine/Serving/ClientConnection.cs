using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using McpProxyFast.Admission;
using McpProxyFast.Outcomes;
using McpProxyFast.Relay;
using McpProxyFast.Transport;
using McpProxyFast.Upstream;

namespace McpProxyFast.Serving;

/// <summary>One client connection: exchange after exchange until one of the sides, or the proxy, has had enough.</summary>
/// <remarks>
/// One loop owns it. Between two exchanges it holds no <see cref="Exchange"/>, no head and no buffer. Other threads reach it through <see cref="Interrupts"/>
/// only.
/// </remarks>
internal sealed class ClientConnection
{
    /// <summary>Where the client came in.</summary>
    private readonly Doorway _doorway;

    /// <summary>Called when all is given back.</summary>
    private readonly Action _left;

    /// <summary>It has carried an exchange: what it waits for is the next request, not the first.</summary>
    private bool _hasServed;

    /// <summary>The last token and its verdict; clients send the same one with every request.</summary>
    private TokenMemo _tokenMemo;

    /// <param name="parts">What all connections share.</param>
    /// <param name="client">The connection; closed at the end.</param>
    /// <param name="doorway">Where the client came in.</param>
    /// <param name="left">Called when all is given back.</param>
    public ClientConnection(ServingParts parts, Connection client, Doorway doorway, Action left)
    {
        Parts = parts;
        Client = client;
        _doorway = doorway;
        _left = left;
        Interrupts = new Interrupts(parts, client);
    }

    /// <summary>What all connections share.</summary>
    public ServingParts Parts { get; }

    /// <summary>The client.</summary>
    public Connection Client { get; }

    /// <summary>How the client came in: which names it may ask for, and by which scheme.</summary>
    public Entrance Entrance => _doorway.Entrance;

    /// <summary>What other threads may touch.</summary>
    public Interrupts Interrupts { get; }

    /// <summary>What the client was sent is not whole, so it sees a reset, not an orderly end.</summary>
    public bool Resets { get; set; }

    /// <summary>The last token and its verdict, to be compared with the next.</summary>
    public ref TokenMemo TokenMemo => ref _tokenMemo;

    /// <summary>Serves until the end. Never throws: whatever went wrong has been told to the client, or has cut the connection.</summary>
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
                    // Awaited here and no deeper: a stream can last for days, and holds no stage of its exchange meanwhile.
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
            // The one exception edge. Bad input and broken peers do not come here: they are results.
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

    /// <summary>Waits for the first byte of a request. It is left where it lies.</summary>
    /// <returns>False where there will be none: the client has left, has been silent for too long, or the proxy drains.</returns>
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

    /// <summary>Ends an exchange that an internal error has left as it was: its pump must not outlive it.</summary>
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

    /// <summary>Leaves, and says so whatever happens: else its place would be taken for ever.</summary>
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

        // A client that does not read would keep the system's buffers full for as long as it likes after an orderly end.
        Client.Close(Resets || Interrupts.CutReason is FaultReason.ClientTooSlow);
    }
}
