using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Scenarios;

/// <summary>All scenarios, in the order in which they are run and reported.</summary>
internal static class ScenarioTable
{
    private const int MiB = 1024 * 1024;
    private const int FewConnections = 8;
    private const int Connections = 32;

    // Well below what the slowest subject can do on one core, so that the figure is latency and not a queue.
    private const int RequestsPerSecond = 4_000;

    public static IReadOnlyList<Scenario> All(bool quick) =>
    [
        .. SmallPosts(),
        .. Streams(quick ? 500 : 5_000),
        .. LargeBodies(),
        .. Variants(),
    ];

    private static IEnumerable<Scenario> SmallPosts()
    {
        foreach (int connections in (int[])[1, Connections, 256, 1_000])
        {
            string plural = connections == 1 ? "connection" : "connections";
            yield return new($"post-{connections}", $"Small POST, {connections} {plural}", "request", Calls(connections));
        }

        yield return new("post-heads", $"Small POST with real heads, {Connections} connections", "request", Calls(Connections) with
        {
            Target = $"/mcp?{RealHeads.Query}",
            Heads = HeadKind.Real,
        });
        yield return new("post-rate", $"Small POST, {RequestsPerSecond} a second", "request", Calls(Connections) with
        {
            Kind = LoadKind.FixedRate,
            RequestsPerSecond = RequestsPerSecond,
        });
        yield return new("connect", "Small POST, a new connection each", "request", Calls(FewConnections) with { Kind = LoadKind.NewConnections });
    }

    private static IEnumerable<Scenario> Streams(int many)
    {
        yield return new("sse", "SSE, 500 streams × 50 events a second", "event", new()
        {
            Kind = LoadKind.Streams,
            Target = "/sse?rate=50",
            Streams = 500,
            EventsPerSecond = 50,
        });
        yield return new("idle-cold", $"{many} idle streams, all opened within 0.2 s on a process that has just started", "stream", new()
        {
            Kind = LoadKind.ColdStreams,
            Target = "/sse?rate=0",
            Streams = many,
        });
        yield return new("idle-slow", $"{many} idle streams, opened slowly on a process that has served streams before", "stream", new()
        {
            Kind = LoadKind.IdleStreams,
            Target = "/sse?rate=0",
            Streams = many,
        });
        var mixed = new LoadPlan
        {
            Kind = LoadKind.Mixed,
            Target = "/sse?rate=1",
            Streams = many,
            EventsPerSecond = 1,
            Connections = Connections,
            RequestsPerSecond = 1_000,
        };
        yield return new("mixed", $"Small POST, 1000 a second beside {many} streams × 1 event a second", "request", mixed);
        yield return new("burst", $"Small POST, 1000 a second beside {many} streams that all have an event at the same moment of each second", "request", mixed with
        {
            Target = "/sse-together?rate=1",
        });
    }

    private static IEnumerable<Scenario> LargeBodies()
    {
        yield return new("down-length", "1 MiB down, Content-Length", "answer", Down(chunked: 0));
        yield return new("down-chunked", "1 MiB down, chunked", "answer", Down(chunked: 1));
        yield return new("up", "1 MiB up", "request", new()
        {
            Kind = LoadKind.ClosedLoop,
            Target = "/up",
            Connections = FewConnections,
            UploadBytes = MiB,
        });
    }

    private static IEnumerable<Scenario> Variants()
    {
        LoadPlan calls = Calls(Connections);
        yield return new("post-carried", "Small POST, JWT passed on, 32 connections", "request", calls, Variant.TokenCarried);
        yield return new("post-jwt", "Small POST, JWT checked, 32 connections", "request", calls, Variant.JwtProtected);
        yield return new("post-token", "Small POST, token added, 32 connections", "request", calls with { Target = "/mcp?bearer=1" }, Variant.TokenInjected);
        yield return new(
            "post-exchanged", "Small POST, token exchanged (cached), 32 connections", "request", calls with { Target = "/mcp?bearer=1" }, Variant.TokenExchanged);
        yield return new("post-fields", "Small POST, three fields added, 32 connections", "request", calls with { Target = "/mcp?bearer=1" }, Variant.FieldsAdded);
        yield return new("post-tls", "Small POST, TLS upstream, 32 connections", "request", calls, Variant.TlsUpstream);
        yield return new("post-tls-1000", "Small POST, TLS upstream, 1000 connections", "request", Calls(1_000), Variant.TlsUpstream);
    }

    private static LoadPlan Calls(int connections) => new() { Kind = LoadKind.ClosedLoop, Target = "/mcp", Connections = connections };

    private static LoadPlan Down(int chunked) => new()
    {
        Kind = LoadKind.ClosedLoop,
        Target = $"/down?bytes={MiB}&chunked={chunked}",
        Connections = FewConnections,
        DownloadBytes = MiB,
    };
}
