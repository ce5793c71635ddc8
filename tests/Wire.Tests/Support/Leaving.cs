using System.Reflection;
using Xunit.Sdk;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>How a peer ends a connection.</summary>
public enum Leaving
{
    /// <summary>In an orderly way; what it still receives it may read.</summary>
    HalfClose,

    /// <summary>By a reset.</summary>
    Reset,
}

/// <summary>Runs a theory over every kind of channel, with both ways of leaving.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class EveryLeavingAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        from over in Enum.GetValues<Over>()
        from leaving in Enum.GetValues<Leaving>()
        select (object[])[over, leaving];
}
