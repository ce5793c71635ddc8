using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Authorization.Tests.Outgoing.Support;

/// <summary>A clock that shows another time than the one that has passed, as a machine's does once it has been set.</summary>
internal sealed class SettableClock() : FakeTimeProvider(DateTimeOffset.UtcNow)
{
    private TimeSpan _back;

    /// <summary>Somebody sets the machine's clock back. No time passes, and none is undone.</summary>
    public void SetBack(TimeSpan by) => _back += by;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() - _back;

    public override long GetTimestamp() => base.GetUtcNow().Ticks;
}
