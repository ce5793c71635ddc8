using System.ComponentModel;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>Keeps an agent running. When it exits, logs that and starts it again after a pause. The pause is longer after each further short run.</summary>
internal sealed class AgentKeeper : IAsyncDisposable
{
    /// <summary>A run of at least this length counts as successful: the pause after it is the shortest again.</summary>
    private static readonly TimeSpan LongRun = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly AgentProvider _provider;
    private readonly string _program;
    private readonly Func<AgentCommand> _command;
    private readonly ILogger _logger;
    private readonly Action<Uri> _found;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;

    /// <summary>The last line of the current run, logged when the agent exits. Null until the first line.</summary>
    private string? _lastLine;

    /// <param name="provider">The provider of the tunnel.</param>
    /// <param name="program">The path of the agent's program.</param>
    /// <param name="command">Creates the command; called for each start.</param>
    /// <param name="logger">Gets a warning for each exit, and each line of output at debug level.</param>
    /// <param name="found">Called with each public address in the output.</param>
    public AgentKeeper(AgentProvider provider, string program, Func<AgentCommand> command, ILogger logger, Action<Uri> found)
    {
        _provider = provider;
        _program = program;
        _command = command;
        _logger = logger;
        _found = found;
        _running = RunAsync();
    }

    /// <summary>Stops the agent and does not start it again.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    /// <summary>Returns how long to wait before the next start.</summary>
    /// <param name="last">The last pause; zero if there was none.</param>
    /// <param name="ran">How long the last run of the agent took.</param>
    public static TimeSpan PauseAfter(TimeSpan last, TimeSpan ran) =>
        ran >= LongRun || last == TimeSpan.Zero ? ShortestPause
        : 2 * last < LongestPause ? 2 * last
        : LongestPause;

    private async Task RunAsync()
    {
        await using AgentGuard guard = AgentGuard.Start();
        TimeSpan pause = TimeSpan.Zero;
        while (!_stopping.IsCancellationRequested)
        {
            long began = TimeProvider.System.GetTimestamp();
            string how = await RunOnceAsync(guard);
            if (_stopping.IsCancellationRequested)
            {
                return;
            }

            pause = PauseAfter(pause, TimeProvider.System.GetElapsedTime(began));
            _logger.AgentEnded(_provider.Program, how, pause.TotalSeconds);
            await Task.WhenAny(Task.Delay(pause, _stopping.Token));
        }
    }

    /// <returns>How the run ended, for the log.</returns>
    private async Task<string> RunOnceAsync(AgentGuard guard)
    {
        AgentCommand command;
        try
        {
            command = _command();
        }
        catch (FailedException e)
        {
            return $"could not be started ({e.Message})";
        }

        _lastLine = null;
        try
        {
            using Agent agent = await Agent.StartAsync(_program, command);
            guard.Watch(agent.Id);
            await using CancellationTokenRegistration stop = _stopping.Token.Register(static agent => _ = ((Agent)agent!).StopAsync(), agent);
            int code = await agent.RunAsync(line => Said(line, command));
            guard.Watch(null);
            return _lastLine is null ? $"ended with code {code}" : $"ended with code {code}: {_lastLine}";
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or IOException)
        {
            return $"could not be started ({e.Message})";
        }
        catch (Exception bug)
        {
            // A bug must not end the loop, whatever the agent prints.
            return $"ended because of a bug in mcpproxyfast ({bug.GetType().Name})";
        }
    }

    private void Said(string line, AgentCommand command)
    {
        // An agent may print its token, for example when the token is refused.
        string shown = command.Variables.Values.Aggregate(line, (text, secret) => text.Replace(secret, "***", StringComparison.Ordinal)).Trim();
        if (shown.Length == 0)
        {
            return;
        }

        _lastLine = shown;
        _logger.AgentSaid(_provider.Program, shown);
        if (_provider.UrlIn(line) is { } url)
        {
            _found(url);
        }
    }
}
