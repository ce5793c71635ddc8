using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>What a whole proxy counts: each refusal by its code, its rule and whose message it was.</summary>
public sealed class MetricTests
{
    private const string Refused = "mcpproxyfast.exchanges end=refused: 1";
    private const string Faulted = "mcpproxyfast.exchanges end=faulted: 1";
    private const string Invalid = "mcpproxyfast.faults reason=upstream-response-invalid side=upstream: 1";

    [Theory]
    [OverEvery("GET / HTTP/1.1\r\nHost : h\r\n\r\n", "field-name-invalid", "RFC 9112 §5.1")]
    [OverEvery("GET / HTTP/1.1\r\n\r\n", "host-missing", "RFC 9112 §3.2")]
    [OverEvery("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "length-and-transfer-encoding", "RFC 9112 §6.3")]
    [OverEvery("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n", "chunk-size-invalid", "RFC 9112 §7.1")]
    [OverEvery("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", "body-too-large", "RFC 9110 §15.5.14")]
    [OverEvery("GET / HTTP/2.0\r\nHost: h\r\n\r\n", "version-not-supported", "RFC 9110 §15.6.6")]
    public async Task RefusedRequestIsCountedWithItsRule(Over over, string request, string code, string rule)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(request);
        await host.Reports.NextAsync();
        Assert.Equal([Refused, $"mcpproxyfast.refusals reason={code} rule={rule} side=client: 1"], host.Counts.Failures);
    }

    [Theory]
    [OverEvery("HTP/1.1 200 OK\r\n\r\n", "status-line-invalid", "RFC 9112 §4")]
    [OverEvery("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "field-folded", "RFC 9112 §5.2")]
    [OverEvery("HTTP/1.1 101 Switching Protocols\r\n\r\n", "switch-unsolicited", "RFC 9110 §15.2.2")]
    [OverEvery("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk-size-invalid", "RFC 9112 §7.1")]
    public async Task AnswerThatIsNotTakenIsCountedWithItsRule(Over over, string response, string code, string rule)
    {
        await using var host = new WireHost(over);
        (_, RawPeer upstream) = await host.SendAsync(Messages.Get);
        await upstream.SendAsync(response);
        await host.Reports.NextAsync();
        Assert.Equal([Faulted, Invalid, $"mcpproxyfast.refusals reason={code} rule={rule} side=upstream: 1"], host.Counts.Failures);
    }

    [Theory, OverEvery]
    public async Task EndlessInterimResponsesAreCountedWithTheirRule(Over over)
    {
        await using var host = new WireHost(over);
        (_, RawPeer upstream) = await host.SendAsync(Messages.Get);
        await upstream.SendAsync(string.Concat(Enumerable.Repeat("HTTP/1.1 102 Processing\r\n\r\n", new ProxyLimits().MaxInterimResponses + 1)));
        await host.Reports.NextAsync();
        Assert.Equal([Faulted, Invalid, "mcpproxyfast.refusals reason=too-many-interim rule=RFC 9110 §15.2 side=upstream: 1"], host.Counts.Failures);
    }

    [Theory, OverEvery]
    public async Task BadChunkWithinAStreamIsCountedWithItsRule(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginAnswerAsync(Messages.StreamHead + "5\r\nhello\r\n", "hello\r\n");
        await upstream.SendAsync("5\r\nhelloX\r\n");
        await Expect.CutAsync(host, client);
        Assert.Equal(1, host.Counts.Of("mcpproxyfast.refusals reason=chunk-end-invalid rule=RFC 9112 §7.1 side=upstream"));
    }

    [Theory, OverEvery]
    public async Task BadChunkOfARequestWhoseAnswerHasBegunCutsTheAnswerAndIsTheClientsFault(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginUploadAsync();
        await upstream.SendAsync(Messages.StreamHead);
        await client.ReadThroughAsync("\r\n\r\n");
        await client.SendAsync("zz\r\n");
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.True(client.WasReset);
        Assert.Equal("", await upstream.ReadToEndAsync());
        ReportedExchange report = await host.Reports.NextAsync();
        Assert.Equal((ExchangeEnd.Cut, "chunk-size-invalid"), (report.End, report.Reason));
        Assert.Equal(["mcpproxyfast.exchanges end=cut: 1", "mcpproxyfast.refusals reason=chunk-size-invalid rule=RFC 9112 §7.1 side=client: 1"], host.Counts.Failures);
    }

    [Theory, OverEvery]
    public async Task AnsweredExchangesAreCounted(Over over)
    {
        await using var host = new WireHost(over);
        await host.ServeOneAsync();
        Assert.Equal(1, host.Counts.Of("mcpproxyfast.exchanges end=answered"));
        Assert.Empty(host.Counts.Failures);
    }
}
