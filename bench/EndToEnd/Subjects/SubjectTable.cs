using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;
using Pipelines.Sockets.Unofficial;
using Yarp.ReverseProxy.Forwarder;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>All subjects, in the order in which they are reported.</summary>
internal static class SubjectTable
{
    /// <summary>YARP's role takes a token, adds no other fields and exchanges nothing.</summary>
    private static readonly Variant[] OfYarp = [.. Enum.GetValues<Variant>().Except([Variant.FieldsAdded, Variant.TokenExchanged])];

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
        new RoleSubject("yarp", "YARP", typeof(IHttpForwarder).Assembly, OfYarp),
        new RoleSubject("yarp", "YARP, profile-guided", typeof(IHttpForwarder).Assembly, OfYarp)
        {
            Suffix = "pgo",
            Levers = RuntimeLevers.WithProfile,
        },
    ];
}
