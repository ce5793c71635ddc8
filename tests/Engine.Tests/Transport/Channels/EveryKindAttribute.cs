using System.Reflection;
using Xunit.Sdk;

namespace McpProxyFast.Engine.Tests.Transport.Channels;

/// <summary>Runs a theory over every kind of channel; without epoll over all others.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class EveryKindAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        Enum.GetValues<Kind>().Where(static kind => kind is not Kind.Epoll || OperatingSystem.IsLinux()).Select(static kind => new object[] { kind });
}
