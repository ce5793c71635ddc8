namespace McpProxyFast.Wire.Tests.Support;

/// <summary>The outcomes of faults: what the client got, what the observer and the counters were told, and that no socket is left behind.</summary>
internal static class Expect
{
    /// <summary>The proxy answered in the upstream's place.</summary>
    public static async Task FaultAsync(WireHost host, RawPeer client, int status, string reason, int attempts)
    {
        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal(status, answer.Status);
        Assert.Equal("application/json", answer.Field("Content-Type"));
        Assert.Contains($"\"reason\":\"{reason}\"", answer.Body, StringComparison.Ordinal);
        ReportedExchange report = await host.Reports.NextAsync();
        Assert.Equal((ExchangeEnd.Faulted, status, reason, attempts), (report.End, report.Status, report.Reason, report.Attempts));
        Assert.Equal((1, 1), (host.Counts.Of($"mcpproxyfast.faults reason={reason} side=upstream"), host.Counts.Of("mcpproxyfast.exchanges end=faulted")));
    }

    /// <summary>The answer had begun, and was cut so that it cannot look whole.</summary>
    public static async Task CutAsync(WireHost host, RawPeer client, string reason = "upstream-aborted-body", string side = "upstream")
    {
        await client.ReadToEndAsync();
        Assert.True(client.WasReset);
        ReportedExchange report = await host.Reports.NextAsync();
        Assert.Equal((ExchangeEnd.Cut, 200, reason), (report.End, report.Status, report.Reason));
        Assert.Equal((1, 1), (host.Counts.Of($"mcpproxyfast.faults reason={reason} side={side}"), host.Counts.Of("mcpproxyfast.exchanges end=cut")));
        await NothingInCloseWaitAsync(host);
    }

    /// <summary>The client went away before its answer was whole.</summary>
    /// <param name="host">The host.</param>
    /// <param name="status">What it had been sent; 0 for nothing.</param>
    /// <param name="attempts">How often its request was sent to the upstream.</param>
    public static async Task ClientGoneAsync(WireHost host, int status = 0, int attempts = 1)
    {
        ReportedExchange report = await host.Reports.NextAsync();
        Assert.Equal((ExchangeEnd.ClientGone, status, "client-gone", attempts), (report.End, report.Status, report.Reason, report.Attempts));
        Assert.Equal(["mcpproxyfast.exchanges end=client-gone: 1", "mcpproxyfast.faults reason=client-gone side=client: 1"], host.Counts.Failures);
        await NothingInCloseWaitAsync(host);
    }

    /// <summary>The client's connection goes on, over another connection to the upstream.</summary>
    /// <param name="host">The host.</param>
    /// <param name="client">The client.</param>
    /// <param name="request">What the client sends.</param>
    public static async Task FreshUpstreamAsync(WireHost host, RawPeer client, string request = Messages.Get)
    {
        await client.SendAsync(request);
        RawPeer fresh = await host.AcceptAsync();
        Assert.Equal(request.Split("\r\n\r\n")[1], (await fresh.ReadRequestAsync()).Body);
        await fresh.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        await NothingInCloseWaitAsync(host);
    }

    /// <summary>Looks until the system has no socket of the engine in CLOSE_WAIT, on its own port or towards the upstream's. A host's are its own.</summary>
    public static Task NothingInCloseWaitAsync(WireHost host) => host.Address is null || !SystemSockets.AreShown
        ? Task.CompletedTask
        : Patience.UntilAsync(
            () => !SystemSockets.From(host.Address.Port).Concat(SystemSockets.Towards(host.UpstreamPort)).Any(row => row.State is SystemSockets.State.CloseWait),
            "A socket lingers in CLOSE_WAIT.");

    /// <summary>Looks until the engine holds no connection to the upstream any more, at whatever stage.</summary>
    public static Task NoUpstreamHeldAsync(WireHost host) => Patience.UntilAsync(
        () => !SystemSockets.Towards(host.UpstreamPort).Any(row => row.State is SystemSockets.State.Established or SystemSockets.State.CloseWait),
        "A connection to the upstream is still held.");
}
