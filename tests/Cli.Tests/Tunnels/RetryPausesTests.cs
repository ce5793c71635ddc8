using System.Net;
using McpProxyFast.Cli.Tunnels.OpenAi;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>How the control plane's <c>Retry-After</c> is read (RFC 9110 §10.2.3).</summary>
public sealed class RetryPausesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("2", 2)]
    [InlineData("0", 0)]
    [InlineData("61", 60)]
    [InlineData("Fri, 27 Nov 2026 12:00:02 GMT", 2)]
    [InlineData("Friday, 27-Nov-26 12:00:02 GMT", 2)] // the two obsolete forms that a recipient must take
    [InlineData("Fri Nov 27 12:00:02 2026", 2)]
    [InlineData("Fri, 27 Nov 2026 12:30:00 GMT", 60)]
    [InlineData("Fri, 27 Nov 2026 11:59:59 GMT", 0)]
    [InlineData("-1", 0)]
    [InlineData("soon", 0)]
    [InlineData(null, 0)]
    public void RetryAfterIsSecondsOrADateWithinTheLimit(string? field, int seconds)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
        response.Headers.TryAddWithoutValidation("Retry-After", field);

        Assert.Equal(TimeSpan.FromSeconds(seconds), RetryPauses.AskedBy(response, new FakeTimeProvider(Now)));
    }
}
