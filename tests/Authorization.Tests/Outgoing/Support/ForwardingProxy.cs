using System.Net;
using McpProxyFast.Credentials;
using Microsoft.Extensions.Logging;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing.Support;

/// <summary>The engine with a listener of its own, and credentials under a clock that the test moves.</summary>
internal sealed class ForwardingProxy : IAsyncDisposable
{
    private readonly McpProxy _proxy;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;

    private ForwardingProxy(McpProxy proxy)
    {
        _proxy = proxy;
        IPEndPoint bound = proxy.Bind();
        Address = new Uri($"http://{bound}");
        _running = proxy.RunAsync(_stopping.Token);
    }

    public Uri Address { get; }

    /// <summary>Starts the engine and waits until the sign-in at its start, if any, is over.</summary>
    public static async Task<ForwardingProxy> StartAsync(Uri target, UpstreamCredentials credentials, ILogger logger)
    {
        var watched = new WatchedSource(credentials);
        var options = new McpProxyOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), Target = target, Logger = logger };
        var proxy = new ForwardingProxy(new McpProxy(options, watched));
        try
        {
            await watched.Started;
            return proxy;
        }
        catch
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => proxy._running);
            await proxy._proxy.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        await _proxy.DisposeAsync();
        _stopping.Dispose();
    }

    /// <summary>The source itself, which also tells when its start is over.</summary>
    private sealed class WatchedSource(UpstreamCredentials source) : UpstreamCredentials(source.Scope)
    {
        private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Started => _started.Task;

        public override CredentialLine? Current => source.Current;

        public override bool IsPerCaller => source.IsPerCaller;

        public override bool ProvesEachRequest => source.ProvesEachRequest;

        public override CredentialLine? CurrentFor(ReadOnlySpan<byte> caller, ref ExchangeMemo memo) => source.CurrentFor(caller, ref memo);

        public override ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken) =>
            source.ObtainAsync(request, cancellationToken);

        public override ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken) =>
            source.RecoverAsync(challenge, cancellationToken);

        public override async Task StartAsync(CancellationToken cancellationToken)
        {
            try
            {
                await source.StartAsync(cancellationToken);
                _started.TrySetResult();
            }
            catch (Exception failure)
            {
                _started.TrySetException(failure);
                throw;
            }
        }

        public override ValueTask DisposeAsync() => source.DisposeAsync();
    }
}
