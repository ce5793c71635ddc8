using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>Fields that are added go out with every request, once, whatever the client sends and whatever becomes of the request.</summary>
public sealed class AddedFieldTests
{
    private static readonly AddedField[] Fields = [AddedField.Of("X-Key", "ours"), AddedField.Of("X-City", "Zürich")];

    [Theory]
    [OverEvery("")]
    [OverEvery("X-Key: theirs\r\n")]
    [OverEvery("x_key: theirs\r\nX-KEY: theirs\r\n")]
    [OverEvery("Connection: X-Key\r\nX-Key: theirs\r\n")]
    public async Task UpstreamGetsOurFieldsAndNoneOfTheClients(Over over, string lines)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer upstream, StrictMessage request) = await SendAsync(host, $"GET /any HTTP/1.1\r\nHost: h\r\n{lines}\r\n");

        Assert.Equal(["ours"], request.All("X-Key"));
        Assert.DoesNotContain("theirs", request.Head, StringComparison.Ordinal);
        Assert.Contains("X-City: Z\u00c3\u00bcrich\r\n", request.Head, StringComparison.Ordinal); // UTF-8
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
    }

    [Theory, OverEvery]
    public async Task FieldsGoWithEveryRequestOfAConnectionAndWithBodiesThatCome(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer upstream, StrictMessage first) = await SendAsync(host, Messages.Post);
        Assert.Equal(("ours", "{}"), (first.Field("X-Key"), first.Body));
        await upstream.SendAsync(Messages.Ok);
        await client.ReadResponseAsync();

        await client.SendAsync($"{Messages.ChunkedPostHead}2\r\n{{}}\r\n");
        await upstream.ReadThroughAsync("X-Key: ours\r\n");
        await upstream.ReadThroughAsync("{}\r\n");
        await client.SendAsync("0\r\n\r\n");
        await upstream.ReadThroughAsync("0\r\n\r\n");
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
    }

    [Theory, OverEvery]
    public async Task RequestThatIsSentAgainHasThemToo(Over over)
    {
        await using WireHost host = Host(over);
        (RawPeer client, RawPeer upstream, _) = await SendAsync(host, Messages.Post);
        await upstream.SendAsync("HTTP/1.1 307 Temporary Redirect\r\nLocation: /mcp/\r\nContent-Length: 0\r\n\r\n");

        StrictMessage followed = await upstream.ReadRequestAsync();
        Assert.Equal(("POST /mcp/ HTTP/1.1", "ours"), (followed.StartLine, followed.Field("X-Key")));
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
    }

    /// <summary>The answer to a TRACE is the request as it arrived (RFC 9110 §9.3.8): what was added must not be in it.</summary>
    [Theory, OverEvery]
    public async Task TraceIsNotForwarded(Over over)
    {
        await using WireHost host = Host(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("TRACE /mcp HTTP/1.1\r\nHost: h\r\n\r\n");

        Assert.Equal(405, (await client.ReadResponseAsync()).Status);
        Assert.Equal(0, host.Connects);
    }

    [Theory, OverEvery]
    public async Task AddedAuthorizationGoesOutInPlaceOfEveryOther(Over over)
    {
        await using var host = new WireHost(over, options => options with
        {
            Outgoing = OutgoingPolicy.Bearer("credential"),
            AddedFields = [AddedField.Of("Authorization", "Basic YTpi")],
        });
        (_, _, StrictMessage sent) = await SendAsync(host, "GET /mcp HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer client\r\n\r\n");

        Assert.Equal(["Basic YTpi"], sent.All("Authorization"));
    }

    [Theory, OverEvery]
    public async Task CredentialStaysBesideOtherFields(Over over)
    {
        await using var host = new WireHost(over, options => options with { Outgoing = OutgoingPolicy.Bearer("credential"), AddedFields = Fields });
        (_, _, StrictMessage sent) = await SendAsync(host, Messages.Get);

        Assert.Equal(("Bearer credential", "ours"), (sent.Field("Authorization"), sent.Field("X-Key")));
    }

    /// <summary>The largest head that is taken, and the most that is added to it, fit into one request.</summary>
    [Theory, OverEvery]
    public async Task LargestFieldsGoWithTheLargestHead(Over over)
    {
        AddedField[] large = [.. Enumerable.Range(0, 3).Select(i => AddedField.Of($"X-{i}", new string('v', AddedField.MaxValueLength)))];
        await using var host = new WireHost(over, options => options with { AddedFields = large });
        string padding = string.Concat(Enumerable.Range(0, 3).Select(i => $"Y-{i}: {new string('y', 9_000)}\r\n"));
        (_, _, StrictMessage request) = await SendAsync(host, $"GET /mcp HTTP/1.1\r\nHost: h\r\n{padding}\r\n");

        Assert.All(large, field => Assert.Equal(AddedField.MaxValueLength, request.Field(field.Name)!.Length));
        Assert.Equal(9_000, request.Field("Y-2")!.Length);
    }

    private static WireHost Host(Over over) => new(over, options => options with { AddedFields = Fields });

    private static async Task<(RawPeer Client, RawPeer Upstream, StrictMessage Sent)> SendAsync(WireHost host, string request)
    {
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(request);
        RawPeer upstream = await host.AcceptAsync();
        return (client, upstream, await upstream.ReadRequestAsync());
    }
}
