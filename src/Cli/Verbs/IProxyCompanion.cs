using System.Net;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Verbs;

/// <summary>Something that a verb runs beside the proxy, such as a tunnel.</summary>
internal interface IProxyCompanion
{
    /// <summary>The last check before anything is started; everything else is valid.</summary>
    /// <param name="engine">The options of the proxy.</param>
    /// <param name="addsCredential">Whether the proxy adds a credential to requests.</param>
    /// <exception cref="UsageException">The proxy must not run with these options.</exception>
    void Refuse(McpProxyOptions engine, bool addsCredential);

    /// <summary>Checks, before the proxy listens, that everything it needs is available.</summary>
    /// <exception cref="FailedException">Something is missing.</exception>
    Task RequireAsync();

    /// <summary>Logs warnings about what others can do.</summary>
    void Warn(McpProxyOptions engine, bool addsCredential, ILogger logger);

    /// <summary>Starts it. The result is disposed after the proxy is drained.</summary>
    /// <param name="proxy">Bound, about to be run.</param>
    /// <param name="target">The MCP server.</param>
    /// <param name="listening">The address that the proxy listens on.</param>
    /// <param name="logger">Gets its log messages.</param>
    /// <param name="stopping">Cancelled when the proxy begins to drain.</param>
    IAsyncDisposable Start(McpProxy proxy, Uri target, IPEndPoint listening, ILogger logger, CancellationToken stopping);
}
