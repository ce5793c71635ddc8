using System.Text;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public sealed class StaticCredentialTests : IDisposable
{
    private static readonly Uri Target = new("https://mcp.example/mcp");
    private static readonly UpstreamRequest Request = new("POST", Target);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AReadyLineIsReadWithoutAllocating()
    {
        await using UpstreamCredentials source = await StartAsync(OutgoingPolicy.Bearer("abc"));
        _ = source.Current;

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            _ = source.Current;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task ARefusedBearerTokenIsTheOperatorsToReplace()
    {
        await using UpstreamCredentials source = await StartAsync(OutgoingPolicy.Bearer("abc"));

        CredentialResult unauthorized = await source.RecoverAsync(Refusal(401, source.Current), CancellationToken.None);
        CredentialResult forbidden = await source.RecoverAsync(Refusal(403, source.Current), CancellationToken.None);

        Assert.Equal((CredentialResultKind.Unavailable, "credential-refused"), (unauthorized.Kind, unauthorized.Code));
        Assert.Equal(CredentialResultKind.PassThrough, forbidden.Kind);
    }

    [Fact]
    public async Task ABearerFileIsReadAgainWhenItChanges()
    {
        await using UpstreamCredentials source = await StartAsync(OutgoingPolicy.BearerFile(_folder.Write("token", " first\n")));
        Assert.Equal("Authorization: Bearer first\r\n", LineOf(source));

        _folder.Write("token", "second");
        _clock.Advance(TimeSpan.FromSeconds(5));
        await Patience.UntilAsync(() => LineOf(source) == "Authorization: Bearer second\r\n");
    }

    [Fact]
    public async Task ARefusedBearerFileIsReadAtOnce()
    {
        await using UpstreamCredentials source = await StartAsync(OutgoingPolicy.BearerFile(_folder.Write("token", "first")));
        CredentialLine? used = source.Current;
        _folder.Write("token", "second");

        CredentialResult result = await source.RecoverAsync(Refusal(401, used), CancellationToken.None);

        Assert.Equal("Authorization: Bearer second\r\n", Encoding.ASCII.GetString(result.Line!.Bytes.Span));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("two words", "visible ASCII characters without spaces")]
    [InlineData(null, "cannot be read")]
    public async Task ABearerFileWithoutATokenStopsTheStart(string? content, string message)
    {
        string file = content is null ? _folder.File("missing") : _folder.Write("token", content);

        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(OutgoingPolicy.BearerFile(file)));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AHostsOwnSourceIsAskedOnceAndAgainWhenRefused()
    {
        var host = new Host();
        await using UpstreamCredentials source = await StartAsync(OutgoingPolicy.From(host));

        CredentialResult first = await source.ObtainAsync(Request, CancellationToken.None);
        Assert.Same(first.Line, source.Current);
        CredentialResult second = await source.RecoverAsync(Refusal(401, first.Line), CancellationToken.None);

        Assert.Equal("Authorization: Custom 2\r\n", Encoding.ASCII.GetString(second.Line!.Bytes.Span));
        Assert.Equal([false, true], host.Refused);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(source.Current);
    }

    private static UpstreamChallenge Refusal(int status, CredentialLine? used) => new(Request, status, ["Bearer"], DPoPNonce: null, used, Attempt: 0);

    private static string LineOf(UpstreamCredentials source) => Encoding.ASCII.GetString(source.Current!.Bytes.Span);

    private async Task<UpstreamCredentials> StartAsync(OutgoingPolicy policy)
    {
        UpstreamCredentials source = UpstreamCredentials.For(policy, Target, _clock, NullLogger.Instance);
        await source.StartAsync(CancellationToken.None);
        return source;
    }

    private sealed class Host : ICredentialSource
    {
        public List<bool> Refused { get; } = [];

        public ValueTask<OutgoingCredential?> GetAsync(Uri target, bool refused, CancellationToken cancellationToken)
        {
            Refused.Add(refused);

            // The clock of the test starts at 2000-01-01.
            return new(new OutgoingCredential($"Custom {Refused.Count}", new DateTimeOffset(2000, 1, 1, 0, 1, 0, TimeSpan.Zero)));
        }
    }
}
