using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Asks for commands and has them done, until it is told to stop.</summary>
internal sealed class PollLoop : IAsyncDisposable
{
    /// <summary>Largest response to a poll: some messages of the largest size.</summary>
    private const int MaxBytes = 256 * 1024 * 1024;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Where a person has to act.</summary>
    private static readonly TimeSpan SlowPause = TimeSpan.FromSeconds(60);

    /// <summary>How long commands under way may take once the proxy has been drained.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    private readonly int _concurrency;
    private readonly ControlPlane _plane;
    private readonly CommandRunner _runner;
    private readonly ILogger _logger;
    private readonly BackOff _pauses = new(FirstPause, LongestPause);

    /// <summary>One for each command that may still be begun.</summary>
    private readonly SemaphoreSlim _slots;

    /// <summary>Ends commands without an answer.</summary>
    private readonly CancellationTokenSource _aborting = new();

    /// <summary>Ends the loop. Also where the process ends for another reason than a signal.</summary>
    private readonly CancellationTokenSource _stopping;

    private readonly Task _running;

    /// <summary>What was wrong last, so that it is said once; empty while all is well, null before the first poll.</summary>
    private string? _wrong;

    /// <param name="provider">Which tunnel.</param>
    /// <param name="proxy">The way to the MCP server.</param>
    /// <param name="target">The MCP server.</param>
    /// <param name="logger">Told how it goes.</param>
    /// <param name="stopping">Ends the loop; commands under way go on.</param>
    public PollLoop(OpenAiProvider provider, McpProxy proxy, Uri target, ILogger logger, CancellationToken stopping)
    {
        _concurrency = provider.Concurrency;
        _slots = new SemaphoreSlim(_concurrency);
        _plane = new ControlPlane(provider);
        _runner = new CommandRunner(proxy, target, new Delivery(_plane, logger), logger);
        _logger = logger;
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _running = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;

        // Every slot back: nothing runs any more.
        _aborting.CancelAfter(EndTimeout);
        for (int i = 0; i < _concurrency; i++)
        {
            await _slots.WaitAsync();
        }

        _plane.Dispose();
        _slots.Dispose();
        _aborting.Dispose();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        await Task.Yield();
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await PollAsync();
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is HttpRequestException or TimeoutException or IOException)
            {
                await PauseAsync(_pauses.Next(TimeSpan.Zero), $"cannot be reached ({e.Message})");
            }
            catch (JsonException)
            {
                await PauseAsync(_pauses.Next(TimeSpan.Zero), "answered with something that is no list of commands");
            }
        }
    }

    private async Task PollAsync()
    {
        using HttpResponseMessage response = await _plane.PollAsync(_stopping.Token);
        long receivedAt = TimeProvider.System.GetTimestamp();
        int status = (int)response.StatusCode;
        switch (status)
        {
            case 204:
                Well();
                return;
            case 200:
                IReadOnlyList<TunnelCommand> commands = CommandReader.Read(await BodyAsync(response));
                Well();
                await BeginAsync(commands, receivedAt);
                return;
            case 429 or >= 500:
                await PauseAsync(_pauses.Next(BackOff.AskedBy(response)), $"answered with HTTP {status}");
                return;
            case 401 or 403:
                await PauseAsync(SlowPause, $"does not take the key (HTTP {status}): check that it is valid and may use this tunnel");
                return;
            default:
                await PauseAsync(SlowPause, $"answered with HTTP {status}: check the tunnel's id and base-url");
                return;
        }
    }

    private async Task BeginAsync(IReadOnlyList<TunnelCommand> commands, long receivedAt)
    {
        foreach (TunnelCommand command in commands)
        {
            await _slots.WaitAsync(_stopping.Token);
            _ = RunAsync(command, receivedAt);
        }
    }

    private async Task RunAsync(TunnelCommand command, long receivedAt)
    {
        await Task.Yield();
        await _runner.RunAsync(command, receivedAt, _aborting.Token);
        _slots.Release();
    }

    private async Task<ReadOnlyMemory<byte>> BodyAsync(HttpResponseMessage response)
    {
        var body = new ArrayBufferWriter<byte>(16 * 1024);
        await using Stream stream = await response.Content.ReadAsStreamAsync(_stopping.Token);
        while (await stream.ReadAsync(body.GetMemory(16 * 1024), _stopping.Token) is > 0 and var count)
        {
            body.Advance(body.WrittenCount + count <= MaxBytes ? count : throw new JsonException("The poll's response is too large."));
        }

        return body.WrittenMemory;
    }

    /// <summary>The control plane has answered as it should.</summary>
    private void Well()
    {
        _pauses.Reset();
        if (_wrong is not "")
        {
            _wrong = "";
            _logger.TunnelConnected();
        }
    }

    private async Task PauseAsync(TimeSpan pause, string wrong)
    {
        if (wrong != _wrong)
        {
            _wrong = wrong;
            _logger.ControlPlaneWrong(wrong, Math.Round(pause.TotalSeconds, 1));
        }

        await Task.WhenAny(Task.Delay(pause, _stopping.Token));
    }
}
