using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing.Support;

/// <summary>A test that acts as another user of the machine.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RootFactAttribute : FactAttribute
{
    /// <summary>Why such a test cannot run here; null where it can.</summary>
    public static readonly string? Why = OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess
        ? null
        : "Only root on Linux can act as another user, and give files away: run the tests as root, as in a container.";

    public RootFactAttribute() => Skip = Why;
}

/// <summary>As <see cref="RootFactAttribute"/>, with cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RootTheoryAttribute : TheoryAttribute
{
    public RootTheoryAttribute() => Skip = RootFactAttribute.Why;
}
