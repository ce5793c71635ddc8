using System.Text.Json;
using McpProxyFast.Bridge;
using McpProxyFast.Bridge.Messages;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Polls the control plane for commands and runs them, until it is stopped.</summary>
internal sealed class PollLoop : IAsyncDisposable
{
    private const int ReadBytes = 16 * 1024;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>The pause after a failure that a person has to fix.</summary>
    private static readonly TimeSpan SlowPause = TimeSpan.FromSeconds(60);

    /// <summary>If a poll without commands is answered sooner than this, the server did not hold it open, and the next poll waits.</summary>
    private static readonly TimeSpan ShortPoll = TimeSpan.FromSeconds(1);

    /// <summary>How long to wait for the next bytes of a poll's response. Then the poll has failed.</summary>
    private static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(30);

    /// <summary>How long running commands may take after the proxy has been drained. Then they are cancelled.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    private readonly int _concurrency;

    /// <summary>Measures the pauses between polls, and how long a response takes.</summary>
    private readonly TimeProvider _clock;

    private readonly ControlPlane _plane;
    private readonly CommandRunner _runner;
    private readonly MemoryBudget _budget;
    private readonly ILogger _logger;
    private readonly RetryPauses _pauses = new(FirstPause, LongestPause);

    /// <summary>Limits how many commands run at the same time: a command takes one slot while it runs.</summary>
    private readonly SemaphoreSlim _slots;

    /// <summary>Cancelled to cancel the running commands. Nothing is posted for them then.</summary>
    private readonly CancellationTokenSource _aborting = new();

    /// <summary>Cancelled to end the loop: on a signal, and when the loop is disposed of.</summary>
    private readonly CancellationTokenSource _stopping;

    private readonly Task _running;

    /// <summary>The last failure, so that the same one is not logged twice in a row. Empty after a successful poll, null before the first poll.</summary>
    private string? _wrong;

    /// <param name="provider">The tunnel and its key.</param>
    /// <param name="proxy">The proxy, which sends requests to the MCP server.</param>
    /// <param name="target">The URL of the MCP server.</param>
    /// <param name="logger">Gets a line when polling fails, and when it succeeds again.</param>
    /// <param name="stopping">Cancelled to end the loop. Running commands continue.</param>
    /// <param name="budget">The maximum number of bytes that polls and answers take together; null for the default.</param>
    /// <param name="clock">Measures all waits of the tunnel, and the deadlines of commands; null for the system clock.</param>
    public PollLoop(
        OpenAiProvider provider,
        McpProxy proxy,
        Uri target,
        ILogger logger,
        CancellationToken stopping,
        long? budget = null,
        TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        _budget = new MemoryBudget(budget ?? MemoryBudget.DefaultBytes);
        _concurrency = provider.Concurrency;
        _slots = new SemaphoreSlim(_concurrency);
        _plane = new ControlPlane(provider);
        _runner = new CommandRunner(proxy, target, new AnswerPost(_plane, logger), _budget, logger, _clock);
        _logger = logger;
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _running = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;

        // A running command holds a slot. When this method has all slots, no command is running.
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
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is HttpRequestException or TimeoutException or IOException)
            {
                await PauseAsync(_pauses.Next(TimeSpan.Zero), $"cannot be reached ({e.Message})");
            }
            catch (JsonException)
            {
                await PauseAsync(_pauses.Next(TimeSpan.Zero), "answered with something that is not a list of commands");
            }
            catch (Exception bug)
            {
                _logger.PollFailed(bug.GetType().Name);
                await PauseAsync(_pauses.Next(TimeSpan.Zero), "sent an answer that mcpproxyfast cannot handle because of a bug");
            }
        }
    }

    private async Task PollAsync()
    {
        long began = _clock.GetTimestamp();
        using HttpResponseMessage response = await _plane.PollAsync(_stopping.Token);
        long receivedAt = _clock.GetTimestamp();
        int status = (int)response.StatusCode;
        switch (status)
        {
            case 204:
                Well();
                await RestAsync(began);
                return;
            case 200 when await BeginAsync(response, receivedAt) == 0:
                await RestAsync(began);
                return;
            case 200:
                return;
            case 429 or >= 500:
                await PauseAsync(_pauses.Next(RetryPauses.AskedBy(response, _clock)), $"answered with HTTP {status}");
                return;
            case 401 or 403:
                await PauseAsync(SlowPause, $"does not take the key (HTTP {status}): check that it is valid and may use this tunnel");
                return;
            default:
                await PauseAsync(SlowPause, $"answered with HTTP {status}: check the tunnel's id and base-url");
                return;
        }
    }

    /// <summary>Waits a moment if a poll without commands was answered sooner than <see cref="ShortPoll"/>.</summary>
    private async Task RestAsync(long began)
    {
        if (_clock.GetElapsedTime(began) < ShortPoll)
        {
            await Task.WhenAny(Task.Delay(FirstPause, _clock, _stopping.Token));
        }
    }

    /// <summary>Reads the commands in a poll's response and starts each.</summary>
    /// <returns>The number of commands.</returns>
    private async Task<int> BeginAsync(HttpResponseMessage response, long receivedAt)
    {
        var bytes = new MessageBuffer();
        var body = new SharedBytes([bytes]); // commands are slices of it
        using IDisposable reading = body.Use();
        await ReadAsync(response, bytes);
        IReadOnlyList<TunnelCommand> commands = CommandReader.Read(bytes.Bytes);
        Well();
        foreach (TunnelCommand command in commands)
        {
            await _slots.WaitAsync(_stopping.Token);
            _ = RunAsync(command, body.Use(), receivedAt);
        }

        return commands.Count;
    }

    private async Task RunAsync(TunnelCommand command, IDisposable body, long receivedAt)
    {
        await Task.Yield();
        await _runner.RunAsync(command, receivedAt, _aborting.Token);
        body.Dispose();
        _slots.Release();
    }

    private async Task ReadAsync(HttpResponseMessage response, MessageBuffer bytes)
    {
        byte[] buffer = new byte[ReadBytes];
        await using Stream stream = await response.Content.ReadAsStreamAsync(_stopping.Token);
        while (await ReadAsync(stream, buffer) is > 0 and var count)
        {
            bytes.Add(buffer.AsSpan(0, count));
            if (bytes.Held > _budget.Most)
            {
                throw new JsonException("The poll's response is too large.");
            }

            await _budget.WaitAsync(bytes, _stopping.Token);
        }
    }

    /// <exception cref="TimeoutException">
    /// Nothing has come for <see cref="StallTimeout"/>. The connection may be lost; without this limit that could go unnoticed for hours.
    /// </exception>
    private async Task<int> ReadAsync(Stream stream, byte[] buffer)
    {
        using var stalled = new CancellationTokenSource(StallTimeout, _clock);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token, stalled.Token);
        try
        {
            return await stream.ReadAsync(buffer, limit.Token);
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            throw new TimeoutException($"its response has stalled for {StallTimeout.TotalSeconds} s");
        }
    }

    /// <summary>Called after each successful poll. Ends the series of failures, and logs that the tunnel is connected if it was not.</summary>
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

        await Task.WhenAny(Task.Delay(pause, _clock, _stopping.Token));
    }
}
