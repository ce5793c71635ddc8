using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;
using Pipelines.Sockets.Unofficial;
using Yarp.ReverseProxy.Forwarder;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>All subjects, in the order in which they are reported.</summary>
internal static class SubjectTable
{
    public static IReadOnlyList<Subject> For(RunOptions options) =>
    [
        new DirectSubject(),
        new HaproxySubject(isRawRelay: true),
        .. options.Builds.Select(build => McpProxyFastSubject.Build(build.Name, build.File)),
        McpProxyFastSubject.Native(),
        McpProxyFastSubject.FrameworkDependent(),
        new RoleSubject("mcpproxyfast-unofficial", "McpProxyFast on P.S.Unofficial", typeof(SocketConnection).Assembly, Variant.Plain),
        new HaproxySubject(isRawRelay: false),
        new NginxSubject(),
        new RoleSubject("yarp", "YARP", typeof(IHttpForwarder).Assembly, Enum.GetValues<Variant>()),
        new RoleSubject("yarp", "YARP, profile-guided", typeof(IHttpForwarder).Assembly, Enum.GetValues<Variant>())
        {
            Suffix = "pgo",
            Levers = RuntimeLevers.WithProfile,
        },
    ];
}
