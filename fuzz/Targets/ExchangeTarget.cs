using System.Text;
using McpProxyFast.Fuzz.Exchange;
using McpProxyFast.Fuzz.Oracles;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using static McpProxyFast.Fuzz.PropertyBrokenException;

namespace McpProxyFast.Fuzz.Targets;

/// <summary>With both sides scripted the proxy never hangs, leaks no connection, sends only plain messages, and never presents half a message as whole.</summary>
#pragma warning disable CA1001 // Its proxy lives as long as the process.
internal sealed class ExchangeTarget : IFuzzTarget, IProxyObserver, ILogger
#pragma warning restore CA1001
{
    private readonly FakeTimeProvider _clock = new();
    private readonly McpProxy _proxy;
    private ExchangeRun _run;
    private string? _error;

    public ExchangeTarget()
    {
        _run = new ExchangeRun(_clock);
        _proxy = new McpProxy(new McpProxyOptions
        {
            Target = new Uri("http://upstream.test/"),
            ConnectUpstream = _ => ValueTask.FromResult(_run.Connect()),
            Limits = SmallLimits,
            Observer = this,
            Logger = this,
            Clock = _clock,
        });
    }

    public string Name => "exchange";

    public string Dictionary => "exchange";

    /// <summary>Small, so that short scripts reach every limit.</summary>
    private static ProxyLimits SmallLimits => new()
    {
        MaxHeadBytes = 1024,
        MaxRequestLineBytes = 256,
        MaxFields = 16,
        MaxRequestBodyBytes = 2048,
        MaxChunkOverheadBytes = 64,
        MaxInterimResponses = 2,
        ReplayWindowBytes = 1024,
        MaxRedirects = 2,
        UpstreamIdleTimeout = TimeSpan.FromSeconds(2),
        HeaderTimeout = TimeSpan.FromSeconds(3),
        IdleTimeout = TimeSpan.FromSeconds(4),
        BodyTimeout = TimeSpan.FromSeconds(3),
        WriteTimeout = TimeSpan.FromSeconds(5),
        ResponseTimeout = TimeSpan.FromSeconds(5),
    };

    public void Run(ReadOnlySpan<byte> input)
    {
        _run = new ExchangeRun(_clock);
        _error = null;
        bool ended = _run.Play(_proxy, Script.Read(input.ToArray()));
        Require(ended, "Once the client has left and every limit is over, the proxy is done with it.");
        Require(_error is null, $"No internal error: {_error}");
        Require(_run.Upstreams.TrueForAll(upstream => upstream.IsReleased), "No upstream connection is leaked.");
        RequireSoundRequests();
        RequireSoundResponses();
    }

    public void OnExchangeEnded(in ExchangeReport report) => _run.Reports.Add(new Outcome(report.End, report.Status, report.Reason, report.Attempts));

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _error ??= exception?.ToString();

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    private void RequireSoundRequests()
    {
        List<WireMessage> sent = LenientWire.ReadRequests(_run.Client.Sent);
        List<WireMessage> received = [.. _run.Upstreams.SelectMany(upstream => StrictWire.ReadRequests(upstream.Received))];
        Require(received.Count <= _run.Reports.Sum(report => report.Attempts), "The upstream sees no more requests than were sent to it.");
        foreach (WireMessage request in received.Where(request => request.IsWhole))
        {
            Require(sent.Exists(whole => whole.Method == request.Method && whole.Body.AsSpan().SequenceEqual(request.Body)),
                $"A request that looks whole to the upstream is whole: {request.StartLine}, {request.Body.Length} bytes.");
        }
    }

    private void RequireSoundResponses()
    {
        bool mayAnswerHead = Encoding.Latin1.GetString(_run.Client.Sent).Contains("HEAD ", StringComparison.Ordinal);
        string[] methods = [.. LenientWire.ReadRequests(_run.Client.Sent).Select(request => request.Method)];
        List<WireMessage> responses = StrictWire.ReadResponses(_run.Client.Received, methods, mayAnswerHead, _run.Client.ProxyEndedOrderly);
        List<WireMessage> finals = responses.FindAll(response => !response.IsInterim);
        List<Outcome> answers = _run.Reports.FindAll(report => report.Status != 0);
        Require(finals.Count <= answers.Count, "No answer comes that nobody asked for.");
        List<WireMessage> upstream = [.. _run.Upstreams.SelectMany(WholeResponses)];
        for (int i = 0; i < finals.Count; i++)
        {
            WireMessage response = finals[i];
            Require(response.Status == answers[i].Status, $"The answer's status is the reported one: {response.Status}, {answers[i]}.");
            bool isRelayed = answers[i].End is ExchangeEnd.Answered or ExchangeEnd.Cut or ExchangeEnd.ClientGone;
            Require(!isRelayed || !response.IsWhole || mayAnswerHead
                || upstream.Exists(whole => whole.Status == response.Status && whole.Body.AsSpan().SequenceEqual(response.Body)),
                $"An answer that looks whole to the client is whole: {response.StartLine}, {response.Body.Length} bytes, {answers[i]}.");
        }
    }

    private static List<WireMessage> WholeResponses(ScriptedPeer upstream) => LenientWire.ReadResponses(
        upstream.Sent, [.. StrictWire.ReadRequests(upstream.Received).Select(request => request.Method)], upstream.ClosedOrderly);
}
