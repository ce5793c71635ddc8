using System.Reflection;
using Xunit.Sdk;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>Runs a theory over every kind of channel, with further arguments behind it.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class OverEveryAttribute(params object?[] others) : DataAttribute
{
    public override IEnumerable<object?[]> GetData(MethodInfo testMethod) => Enum.GetValues<Over>().Select(over => (object?[])[over, .. others]);
}

/// <summary>Runs a theory over some kinds of channels only, and says why.</summary>
/// <param name="why">What the others lack.</param>
/// <param name="overs">The kinds.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OverOnlyAttribute(string why, params Over[] overs) : DataAttribute
{
    public string Why => why;

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => overs.Select(over => (object[])[over]);
}

/// <summary>As <see cref="OverOnlyAttribute"/>, with both ways of leaving.</summary>
/// <param name="why">What the others lack.</param>
/// <param name="overs">The kinds.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LeavingOverOnlyAttribute(string why, params Over[] overs) : DataAttribute
{
    public string Why => why;

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        from over in overs
        from leaving in Enum.GetValues<Leaving>()
        select (object[])[over, leaving];
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
