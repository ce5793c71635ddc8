using System.Net;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Verbs;

/// <summary>What a verb runs beside the proxy.</summary>
internal interface IProxyCompanion
{
    /// <summary>The last check, when everything else has been found right and nothing has been started.</summary>
    /// <exception cref="UsageException">The proxy must not be run like that.</exception>
    void Refuse(McpProxyOptions engine);

    /// <summary>Looks for what it needs from the machine, before the proxy listens.</summary>
    /// <exception cref="FailedException">Something is missing.</exception>
    Task RequireAsync();

    /// <summary>Says what others can do.</summary>
    void Warn(McpProxyOptions engine, ILogger logger);

    /// <summary>Starts it. Disposed when the proxy has been drained.</summary>
    /// <param name="proxy">Bound, about to be run.</param>
    /// <param name="target">Where it leads.</param>
    /// <param name="listening">Where it listens.</param>
    /// <param name="logger">Takes what it has to say.</param>
    /// <param name="stopping">Cancelled when the proxy begins to drain.</param>
    IAsyncDisposable Start(McpProxy proxy, Uri target, IPEndPoint listening, ILogger logger, CancellationToken stopping);
}
