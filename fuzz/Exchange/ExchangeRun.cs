using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Fuzz.Exchange;

/// <summary>Plays one script against a proxy and remembers what each side saw.</summary>
internal abstract class ExchangeRun(FakeTimeProvider clock)
{
    private readonly List<ReportedExchange> _reports = [];

    /// <summary>The client; made by <see cref="Begin"/>.</summary>
    public abstract ScriptedPeer Client { get; }

    /// <summary>The connections that the proxy has made, in order.</summary>
    public abstract IReadOnlyList<ScriptedPeer> Upstreams { get; }

    /// <summary>What the proxy reported, in order.</summary>
    public List<ReportedExchange> Reports
    {
        get
        {
            lock (_reports)
            {
                return [.. _reports];
            }
        }
    }

    /// <summary>The next connection to the upstream fails.</summary>
    protected bool RefusesNext { get; set; }

    /// <summary>The proxy is done with the client's connection.</summary>
    protected abstract bool IsOver { get; }

    public void Add(ReportedExchange report)
    {
        lock (_reports)
        {
            _reports.Add(report);
        }
    }

    /// <summary>Plays a script to its end, then lets the client leave and time pass.</summary>
    /// <returns>Whether the proxy is done with the client's connection.</returns>
    public bool Play(IEnumerable<(ScriptAction Action, byte[] Bytes)> script)
    {
        Begin();
        Settle();
        foreach ((ScriptAction action, byte[] bytes) in script)
        {
            Step(action, bytes);
            Settle();
        }

        Client.Close(orderly: true);
        bool ended = PassTimeUntil(() => IsOver);
        Settle();
        PassTimeUntil(() => Upstreams.All(upstream => upstream.IsReleased));
        return ended;
    }

    /// <summary>Connects the client.</summary>
    protected abstract void Begin();

    /// <summary>Lets what has been done have its effect, and takes what has come.</summary>
    protected virtual void Settle()
    {
        Client.Receive();
        foreach (ScriptedPeer upstream in Upstreams)
        {
            upstream.Receive();
        }
    }

    /// <summary>Lets a few times the longest limit pass, by the fake clock: bounded in steps, not in real time.</summary>
    protected virtual bool PassTimeUntil(Func<bool> done)
    {
        const int maxSeconds = 30;
        for (int i = 0; i < maxSeconds && !done(); i++)
        {
            PassTime(TimeSpan.FromSeconds(1));
        }

        return done();
    }

    /// <summary>Moves the clock on.</summary>
    protected virtual void PassTime(TimeSpan time) => clock.Advance(time);

    private void Step(ScriptAction action, byte[] bytes)
    {
        ScriptedPeer? upstream = Upstreams is [.., var newest] ? newest : null;
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
                RefusesNext = true;
                break;
            case ScriptAction.TimePasses:
                PassTime(TimeSpan.FromSeconds(bytes.Length > 0 && char.IsAsciiDigit((char)bytes[0]) ? bytes[0] - '0' : 1));
                break;
        }
    }
}

/// <summary>What the oracle looks at in a report.</summary>
/// <param name="End">How the exchange ended.</param>
/// <param name="Status">The status that the client was sent; 0 for none.</param>
/// <param name="Reason">The code of the refusal or fault; empty for none.</param>
/// <param name="Attempts">How often the request was sent.</param>
internal sealed record ReportedExchange(ExchangeEnd End, int Status, string Reason, int Attempts);
