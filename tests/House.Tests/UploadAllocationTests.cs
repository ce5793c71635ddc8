using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpProxyFast.House.Tests;

/// <summary>A request whose body does not come with its head is carried without one managed allocation too.</summary>
[Collection(nameof(AllocationTests))]
public sealed class UploadAllocationTests
{
    /// <summary>Five of these are more than the proxy keeps of a request.</summary>
    private const int LargePiece = 16 * 1024;

    private const string Given = "a token that is given";
    private const string SignedIn = "a token of a sign-in";
    private const string Unasked = "a sign-in that the target has not asked for";
    private const string Exchanged = "an exchanged token";
    private const string ExchangedOfAdmitted = "a token exchanged for one that was checked";

    private static readonly byte[] Response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray();
    private static readonly byte[] NotFound = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"u8.ToArray();
    private static readonly byte[] Chunk = "28\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r\n"u8.ToArray();
    private static readonly byte[] LastChunk = "0\r\n\r\n"u8.ToArray();

    public static TheoryData<string> Credentials => [Given, SignedIn, Unasked, Exchanged, ExchangedOfAdmitted];

    [OptimisedFact]
    public Task BodyInASecondReadAllocatesNothing() => ExpectSocketsToAllocateNothing(HeadOf("Content-Length: 40"), new byte[40]);

    [OptimisedFact]
    public Task BodyInSeveralReadsAllocatesNothing() => ExpectSocketsToAllocateNothing(HeadOf("Content-Length: 120"), new byte[40], new byte[40], new byte[40]);

    [OptimisedFact]
    public Task LargeBodyInSeveralReadsAllocatesNothing() => ExpectSocketsToAllocateNothing(
        HeadOf($"Content-Length: {5 * LargePiece}"), [.. Enumerable.Range(0, 5).Select(_ => new byte[LargePiece])]);

    [OptimisedFact]
    public Task ChunksInSeveralReadsAllocateNothing() => ExpectSocketsToAllocateNothing(HeadOf("Transfer-Encoding: chunked"), Chunk, Chunk, LastChunk);

    /// <summary>Such a request is not kept, so it is sent as it comes; what a challenge to it would be about is noted before.</summary>
    [OptimisedTheory]
    [MemberData(nameof(Credentials))]
    public Task LargeBodyOfARequestThatACredentialIsAddedToAllocatesNothing(string credential) => ExpectSocketsToAllocateNothing(
        credential, HeadOf($"Content-Length: {5 * LargePiece}"), [.. Enumerable.Range(0, 5).Select(_ => new byte[LargePiece])]);

    /// <summary>Its client may wait for a 100, so the request is not waited for whole.</summary>
    [OptimisedTheory]
    [MemberData(nameof(Credentials))]
    public Task ExpectedBodyOfARequestThatACredentialIsAddedToAllocatesNothing(string credential) => ExpectSocketsToAllocateNothing(
        credential, HeadOf("Expect: 100-continue\r\nContent-Length: 80"), new byte[40], new byte[40]);

    [OptimisedFact]
    public Task BodyInASecondReadOverAHostsPipesAllocatesNothing() => ExpectPipesToAllocateNothing(HeadOf("Content-Length: 40"), new byte[40]);

    [OptimisedFact]
    public Task ChunksInSeveralReadsOverAHostsPipesAllocateNothing() =>
        ExpectPipesToAllocateNothing(HeadOf("Transfer-Encoding: chunked"), Chunk, Chunk, LastChunk);

    /// <summary>Where a credential is added, a small request is sent once it is here whole, so that it can be sent again with another.</summary>
    [OptimisedTheory]
    [InlineData("Content-Length: 40")]
    [InlineData("Transfer-Encoding: chunked")]
    public async Task BodyInASecondReadOfARequestThatATokenIsAddedToAllocatesNothing(string framing)
    {
        await using var pipes = new InlinePipes(options => options with { Outgoing = OutgoingPolicy.Bearer("token") });
        byte[] head = HeadOf(framing);
        byte[] body = framing.StartsWith('C') ? new byte[40] : [.. Chunk, .. LastChunk];
        AllocationMeter.ExpectNothing(() =>
        {
            pipes.ClientSends(head);
            pipes.UpstreamHasReceivedNothing();
            pipes.ClientSends(body);
            pipes.UpstreamReceives();
            pipes.UpstreamSends(Response);
            pipes.ClientReceives();
        });
    }

    private static byte[] HeadOf(string framing) => Encoding.ASCII.GetBytes(
        $"POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nAuthorization: Bearer abc.def.ghi\r\n{framing}\r\n\r\n");

    private static async Task ExpectSocketsToAllocateNothing(string credential, byte[] head, params byte[][] pieces)
    {
        await using var tokens = new TokenServer();
        await ExpectSocketsToAllocateNothing(options => WithCredential(options, credential, tokens), head, pieces);
    }

    private static Task ExpectSocketsToAllocateNothing(byte[] head, params byte[][] pieces) => ExpectSocketsToAllocateNothing(options => options, head, pieces);

    private static McpProxyOptions WithCredential(McpProxyOptions options, string credential, TokenServer tokens) => credential switch
    {
        Given => options with { Outgoing = OutgoingPolicy.Bearer("token") },
        SignedIn => options with
        {
            Outgoing = new OAuthPolicy
            {
                Server = OAuthServer.FromEndpoints(tokens.Url),
                Grant = new OAuthGrant.ClientCredentials("id", ClientAuthentication.Secret("secret")),
            },
        },
        Unasked => options with { Outgoing = new OAuthPolicy() },
        Exchanged => options with { Outgoing = new TokenExchangePolicy(tokens.Url) },
        ExchangedOfAdmitted => options with { Incoming = TokenPolicy.Custom(new AdmitsAll()), Outgoing = new TokenExchangePolicy(tokens.Url) },
        _ => throw new ArgumentOutOfRangeException(nameof(credential)),
    };

    /// <summary>Each piece is sent when the one before has reached the upstream, so that each is a read of its own.</summary>
    private static async Task ExpectSocketsToAllocateNothing(Func<McpProxyOptions, McpProxyOptions> adjust, byte[] head, params byte[][] pieces)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var target = new Uri($"http://{listener.LocalEndpoint}");
        await using McpProxy proxy = AllocationMeter.Listen(adjust(new McpProxyOptions { Target = target }), listener);
        await StartAsync(proxy, listener);
        using Socket client = AllocationMeter.Connect(proxy);
        byte[] buffer = new byte[LargePiece];
        client.Send(head);
        using Socket upstream = listener.AcceptSocket();
        upstream.NoDelay = true;
        int forwarded = upstream.Receive(buffer);
        Exchange(client, upstream, buffer, pieces);
        AllocationMeter.ExpectNothing(() =>
        {
            client.Send(head);
            AllocationMeter.ReceiveAll(upstream, buffer, forwarded);
            Exchange(client, upstream, buffer, pieces);
        });
    }

    /// <summary>A sign-in looks for metadata at the upstream first, and finds none.</summary>
    private static async Task StartAsync(McpProxy proxy, TcpListener listener)
    {
        using var started = new CancellationTokenSource();
        Task answering = TokenServer.AnswerAsync(listener, NotFound, started.Token);
        await proxy.StartAsync();
        await started.CancelAsync();
        await answering;
    }

    private static void Exchange(Socket client, Socket upstream, byte[] buffer, byte[][] pieces)
    {
        foreach (byte[] piece in pieces)
        {
            client.Send(piece);
            AllocationMeter.ReceiveAll(upstream, buffer, piece.Length);
        }

        upstream.Send(Response);
        AllocationMeter.ReceiveAll(client, buffer, Response.Length);
    }

    private static async Task ExpectPipesToAllocateNothing(byte[] head, params byte[][] pieces)
    {
        await using var pipes = new InlinePipes(options => options);
        AllocationMeter.ExpectNothing(() =>
        {
            pipes.ClientSends(head);
            pipes.UpstreamReceives();
            foreach (byte[] piece in pieces)
            {
                pipes.ClientSends(piece);
                pipes.UpstreamReceives();
            }

            pipes.UpstreamSends(Response);
            pipes.ClientReceives();
        });
    }
}
