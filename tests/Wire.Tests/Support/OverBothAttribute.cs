using System.Reflection;
using Xunit.Sdk;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>Runs a theory over pipes and over sockets.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OverBothAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[Over.Pipes], [Over.Sockets]];
}
