using System.Text.Json;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>What the load role is told on its standard input, as one line of JSON.</summary>
internal sealed record LoadPlan
{
    public required LoadKind Kind { get; init; }

    /// <summary>The target of every request, or of the streams where there are both.</summary>
    public required string Target { get; init; }

    public HeadKind Heads { get; init; }

    public int Port { get; init; }

    public int Connections { get; init; }

    public int Streams { get; init; }

    public int EventsPerSecond { get; init; }

    public int RequestsPerSecond { get; init; }

    public int UploadBytes { get; init; }

    public int DownloadBytes { get; init; }

    /// <summary>The bearer token of every request; null for none.</summary>
    public string? Token { get; init; }

    /// <summary>How long the load runs before it counts, at least.</summary>
    public double WarmUpSeconds { get; init; }

    /// <summary>How long it runs at most before it counts, whether the subject is warm or not.</summary>
    public double MaxWarmUpSeconds { get; init; }

    public double Seconds { get; init; }

    /// <summary>How long streams stay open, and closed, before memory is read; for <see cref="LoadKind.ColdStreams"/> alone.</summary>
    public double SettleSeconds { get; init; }

    /// <summary>The process whose CPU time and memory are read; 0 for none.</summary>
    public int SubjectProcess { get; init; }

    public int OriginProcess { get; init; }

    /// <summary>Whether it is <see cref="Target"/> that answers with a stream.</summary>
    public bool OpensStreams => Kind is LoadKind.Streams or LoadKind.IdleStreams or LoadKind.ColdStreams or LoadKind.Mixed;

    public static LoadPlan Read(TextReader input) =>
        JsonSerializer.Deserialize<LoadPlan>(input.ReadLine() ?? "null") ?? throw new InvalidDataException("No plan was given.");
}
