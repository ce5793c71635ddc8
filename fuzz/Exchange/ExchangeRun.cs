using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Fuzz.Exchange;

/// <summary>Plays one script against a proxy and remembers what each side saw.</summary>
internal sealed class ExchangeRun(FakeTimeProvider clock)
{
    private bool _refusesNext;

    public ScriptedPeer Client { get; } = new();

    public List<ScriptedPeer> Upstreams { get; } = [];

    public List<Outcome> Reports { get; } = [];

    public IDuplexPipe Connect()
    {
        if (_refusesNext)
        {
            _refusesNext = false;
            throw new IOException("The upstream refuses the connection.");
        }

        var upstream = new ScriptedPeer();
        Upstreams.Add(upstream);
        return upstream.ProxySide;
    }

    /// <summary>Plays a script to its end, then lets the client leave and time pass.</summary>
    /// <param name="proxy">The proxy, whose upstream is <see cref="Connect"/>.</param>
    /// <param name="script">The steps.</param>
    /// <returns>Whether the proxy is done with the client's connection.</returns>
    public bool Play(McpProxy proxy, IEnumerable<(ScriptAction Action, byte[] Bytes)> script)
    {
        Task serving = proxy.ServeAsync(Client.ProxySide, new ClientConnectionInfo(), CancellationToken.None);
        foreach ((ScriptAction action, byte[] bytes) in script)
        {
            Step(action, bytes);
            Client.Receive();
            Upstreams.ForEach(upstream => upstream.Receive());
        }

        Client.Close(orderly: true);
        if (!PassTimeUntil(() => serving.IsCompleted))
        {
            // Over pipes, a client that sent more before it left is not seen to leave (Findings/README.md, no. 9): its upstream's end has to do.
            Upstreams.ForEach(upstream => upstream.Close(orderly: false));
        }

        bool ended = PassTimeUntil(() => serving.IsCompleted);
        Client.Receive();
        PassTimeUntil(() => Upstreams.TrueForAll(upstream => upstream.IsReleased));
        return ended;
    }

    private void Step(ScriptAction action, byte[] bytes)
    {
        ScriptedPeer? upstream = Upstreams.LastOrDefault();
        switch (action)
        {
            case ScriptAction.ClientSends:
                Client.Send(bytes);
                break;
            case ScriptAction.UpstreamSends:
                upstream?.Send(bytes);
                break;
            case ScriptAction.ClientCloses:
            case ScriptAction.ClientResets:
                Client.Close(orderly: action is ScriptAction.ClientCloses);
                break;
            case ScriptAction.UpstreamCloses:
            case ScriptAction.UpstreamResets:
                upstream?.Close(orderly: action is ScriptAction.UpstreamCloses);
                break;
            case ScriptAction.UpstreamRefuses:
                _refusesNext = true;
                break;
            case ScriptAction.TimePasses:
                clock.Advance(TimeSpan.FromSeconds(bytes.Length > 0 && char.IsAsciiDigit((char)bytes[0]) ? bytes[0] - '0' : 1));
                break;
        }
    }

    /// <summary>Lets a few times the longest limit pass, by the fake clock: bounded in steps, not in real time.</summary>
    private bool PassTimeUntil(Func<bool> done)
    {
        const int mostSeconds = 30;
        for (int i = 0; i < mostSeconds && !done(); i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        return done();
    }
}

/// <summary>What the proxy reported of one exchange.</summary>
internal sealed record Outcome(ExchangeEnd End, int Status, string Reason, int Attempts);
