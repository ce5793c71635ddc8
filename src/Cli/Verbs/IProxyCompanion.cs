using System.Net;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Verbs;

/// <summary>Something that a verb runs beside the proxy, such as a tunnel.</summary>
internal interface IProxyCompanion
{
    /// <summary>Refuses options with which the proxy must not run. Called before anything is started, when all other checks have passed.</summary>
    /// <param name="engine">The options of the proxy.</param>
    /// <param name="addsCredential">Whether the proxy adds a credential to requests.</param>
    /// <exception cref="UsageException">The proxy must not run with these options.</exception>
    void Refuse(McpProxyOptions engine, bool addsCredential);

    /// <summary>Checks, before the proxy listens, that everything that the companion needs is available.</summary>
    /// <exception cref="FailedException">Something is missing.</exception>
    Task RequireAsync();

    /// <summary>Logs warnings about what others could do with the proxy.</summary>
    void Warn(McpProxyOptions engine, bool addsCredential, ILogger logger);

    /// <summary>Starts the companion. The result is disposed of after the proxy has been drained.</summary>
    /// <param name="proxy">The proxy. It is bound to its address and about to run.</param>
    /// <param name="target">The URL of the MCP server.</param>
    /// <param name="listening">The address that the proxy listens on.</param>
    /// <param name="logger">Gets the companion's log messages.</param>
    /// <param name="stopping">Cancelled when the proxy begins to drain.</param>
    IAsyncDisposable Start(McpProxy proxy, Uri target, IPEndPoint listening, ILogger logger, CancellationToken stopping);
}
