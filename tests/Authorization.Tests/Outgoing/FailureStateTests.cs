using McpProxyFast.Credentials;
using McpProxyFast.OAuth.Net;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public class FailureStateTests
{
    private static readonly FakeTimeProvider s_clock = new();

    [Fact]
    public void WhatMayPassIsTriedAgainAfterOneSecondUpToTwoMinutes()
    {
        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 120, 120], PausesAfter(OAuthException.Transient("x", "x"), 9));
    }

    [Fact]
    public void WhatDoesNotPassByItselfIsTriedAgainRarely()
    {
        Assert.Equal([30, 60, 120, 240, 480, 600, 600], PausesAfter(OAuthException.Refused("x", "x"), 7));
    }

    private static List<double> PausesAfter(OAuthException cause, int failures)
    {
        var pauses = new List<double>();
        FailureState? state = null;
        for (int i = 0; i < failures; i++)
        {
            state = FailureState.After(state, cause, s_clock);
            pauses.Add(state.Left(s_clock).TotalSeconds);
        }

        return pauses;
    }
}
