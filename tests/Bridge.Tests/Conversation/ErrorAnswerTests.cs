using System.IO.Pipelines;
using System.Net;
using System.Text;
using McpProxyFast.Bridge.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>How the body of an HTTP error is read.</summary>
public sealed class ErrorAnswerTests
{
    [Fact]
    public async Task BodyThatNeverEndsIsNotWaitedForBeyondItsTime()
    {
        var clock = new FakeTimeProvider();
        var body = new Pipe();
        using HttpResponseMessage response = Refusal(body);
        await body.Writer.WriteAsync(Encoding.UTF8.GetBytes("""{"jsonrpc":"2.0","""));

        Task<ErrorAnswer> reading = ErrorAnswer.ReadAsync(response, new LargeMessages(clock), CancellationToken.None);
        clock.Advance(BridgeLimits.ErrorBodyTime - TimeSpan.FromTicks(1));
        Assert.False(reading.IsCompleted);
        clock.Advance(TimeSpan.FromTicks(1));

        ErrorAnswer error = await reading.Soon();
        Assert.Equal((503, false), (error.Status, error.IsJsonRpc));
    }

    [Fact]
    public async Task BodyThatComesInTimeIsRead()
    {
        var body = new Pipe();
        using HttpResponseMessage response = Refusal(body);
        Task<ErrorAnswer> reading = ErrorAnswer.ReadAsync(response, new LargeMessages(new FakeTimeProvider()), CancellationToken.None);

        await body.Writer.WriteAsync(Encoding.UTF8.GetBytes("""{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"its own"}}"""));
        await body.Writer.CompleteAsync();

        Assert.Equal((503, -32001), ((await reading.Soon()).Status, (await reading).Code));
    }

    private static HttpResponseMessage Refusal(Pipe body) =>
        new(HttpStatusCode.ServiceUnavailable) { Content = new StreamContent(body.Reader.AsStream()) };
}
