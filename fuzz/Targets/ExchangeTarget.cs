using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using McpProxyFast.Fuzz.Exchange;
using McpProxyFast.Fuzz.Oracles;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using static McpProxyFast.Fuzz.PropertyBrokenException;

namespace McpProxyFast.Fuzz.Targets;

/// <summary>What carries the bytes of a script.</summary>
internal enum ExchangeChannel
{
    /// <summary>A host's in-memory pipes.</summary>
    Pipes,

    /// <summary>A host's pipes over streams.</summary>
    Streams,

    /// <summary>TCP; on Linux the event loops.</summary>
    Sockets,

    /// <summary>TCP without the event loops.</summary>
    Portable,
}

/// <summary>With both sides scripted the proxy never hangs, leaks no connection, sends only plain messages, never half a one as whole.</summary>
#pragma warning disable CA1001 // Its proxy lives as long as the process.
internal sealed class ExchangeTarget : IFuzzTarget, IProxyObserver, ILogger
#pragma warning restore CA1001
{
    private readonly ExchangeChannel _channel;
    private readonly FakeTimeProvider _clock = new();
    private readonly McpProxy _proxy;
    private readonly Socket? _listener;
    private readonly IPEndPoint? _address;
    private readonly MeterListener _meter = new();
    private ExchangeRun? _run;
    private long _open;
    private string? _error;

    public ExchangeTarget(ExchangeChannel channel)
    {
        _channel = channel;
        bool isTcp = channel is ExchangeChannel.Sockets or ExchangeChannel.Portable;
        if (isTcp)
        {
            _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen(64);
        }

        _proxy = new McpProxy(new McpProxyOptions
        {
            Target = new Uri(isTcp ? $"http://{_listener!.LocalEndPoint}/" : "http://upstream.test/"),
            Listen = isTcp ? new IPEndPoint(IPAddress.Loopback, 0) : null,
            AllowedHosts = ["*"],
            ConnectUpstream = isTcp ? null : _ => ValueTask.FromResult(((PipeRun)_run!).Connect()),
            PortableTransport = channel is ExchangeChannel.Portable,
            Limits = SmallLimits,
            Observer = this,
            Logger = this,
            Clock = _clock,
        });
        if (isTcp)
        {
            CountConnections();
            _address = _proxy.Bind();
            _ = _proxy.RunAsync(CancellationToken.None); // as long as the process lives
        }
    }

    public string Name => _channel is ExchangeChannel.Pipes ? "exchange" : "exchange-" + _channel.ToString().ToLowerInvariant();

    public string Corpus => "exchange";

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
        _run = NewRun();
        using var disposed = _run as IDisposable;
        _error = null;
        bool ended = _run.Play(Script.Read(input.ToArray()));
        Require(ended, "Once the client has left and every limit is over, the proxy is done with it.");
        Require(_error is null, $"No internal error: {_error}");
        Require(_run.Upstreams.All(upstream => upstream.IsReleased), "No upstream connection is leaked.");
        RequireSoundRequests(_run);
        RequireSoundResponses(_run);
    }

    /// <summary>The only place that knows the form of a report.</summary>
    public void OnExchangeEnded(in ExchangeReport report) => _run?.Add(new ReportedExchange(report.End, report.Status, report.Reason, report.Attempts));

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _error ??= exception?.ToString();

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    private ExchangeRun NewRun() => _address is null
        ? new PipeRun(_clock, _proxy, overStreams: _channel is ExchangeChannel.Streams)
        : new SocketRun(_clock, _address, _listener!, OpenConnections);

    private void CountConnections()
    {
        _meter.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == _proxy.Meter && instrument.Name == "mcpproxyfast.connections")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meter.SetMeasurementEventCallback<int>((_, count, _, _) => _open = count);
        _meter.SetMeasurementEventCallback<long>((_, count, _, _) => _open = count);
        _meter.Start();
    }

    private long OpenConnections()
    {
        _meter.RecordObservableInstruments();
        return _open;
    }

    private static void RequireSoundRequests(ExchangeRun run)
    {
        List<WireMessage> sent = SentMessages.ReadRequests(run.Client.Sent);
        List<WireMessage> received = [.. run.Upstreams.SelectMany(upstream => ReceivedMessages.ReadRequests(upstream.Received))];
        Require(received.Count <= run.Reports.Sum(report => report.Attempts), "The upstream sees no more requests than were sent to it.");
        foreach (WireMessage request in received.Where(request => request.IsWhole))
        {
            Require(sent.Exists(whole => whole.Method == request.Method && whole.Body.AsSpan().SequenceEqual(request.Body)),
                $"A request that looks whole to the upstream is whole: {request.StartLine}, {request.Body.Length} bytes.");
        }
    }

    private static void RequireSoundResponses(ExchangeRun run)
    {
        bool mayAnswerHead = Encoding.Latin1.GetString(run.Client.Sent).Contains("HEAD ", StringComparison.Ordinal);
        string[] methods = [.. SentMessages.ReadRequests(run.Client.Sent).Select(request => request.Method)];
        List<WireMessage> responses = ReceivedMessages.ReadResponses(run.Client.Received, methods, mayAnswerHead, run.Client.ProxyEndedOrderly);
        List<WireMessage> finals = responses.FindAll(response => !response.IsInterim);
        List<ReportedExchange> answers = run.Reports.FindAll(report => report.Status != 0);
        Require(finals.Count <= answers.Count, "No answer comes that nobody asked for.");
        List<WireMessage> upstream = [.. run.Upstreams.SelectMany(WholeResponses)];
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

    private static List<WireMessage> WholeResponses(ScriptedPeer upstream) => SentMessages.ReadResponses(
        upstream.Sent, [.. ReceivedMessages.ReadRequests(upstream.Received).Select(request => request.Method)], upstream.ClosedOrderly);
}
