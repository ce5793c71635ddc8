using System.IO.Pipelines;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>The connections in memory to the bridge's own proxy.</summary>
public sealed class MemoryConnectionTests
{
    [Fact]
    public async Task WhatWasSentBeforeACutIsReadBeforeItIsNoticed()
    {
        await using PipeStream connection = MemoryConnection.Open(async end =>
        {
            await end.Output.WriteAsync("all of it"u8.ToArray());
            await end.Output.CompleteAsync(new IOException("cut"));
        });
        byte[] buffer = new byte[64];

        Assert.Equal("all of it"u8.Length, await connection.ReadAsync(buffer));
        await Assert.ThrowsAsync<IOException>(async () => Assert.Equal(0, await connection.ReadAsync(buffer)));
    }

    [Fact]
    public async Task EndThatIsNoCutIsAnEnd()
    {
        await using PipeStream connection = MemoryConnection.Open(async end => await end.Output.CompleteAsync());

        Assert.Equal(0, await connection.ReadAsync(new byte[64]));
    }

    [Fact]
    public async Task WhoSendsARequestGoesOnAsTheProxy()
    {
        int proxy = 0;
        await using PipeStream connection = MemoryConnection.Open(async end =>
        {
            await end.Input.ReadAsync();
            proxy = Environment.CurrentManagedThreadId;
        });

        Task sending = connection.WriteAsync("a request"u8.ToArray()).AsTask();

        Assert.Equal(Environment.CurrentManagedThreadId, proxy);
        await sending;
    }

    [Fact]
    public async Task AnswerIsNotTakenOnTheThreadThatSendsIt()
    {
        PipeWriter? proxy = null;
        await using PipeStream connection = MemoryConnection.Open(
            end =>
            {
                proxy = end.Output;
                return Task.CompletedTask;
            });
        var taken = new TaskCompletionSource<string?>();
        _ = ReadAsync();
        async Task ReadAsync()
        {
            await connection.ReadExactlyAsync(new byte["an answer"u8.Length]).ConfigureAwait(false);
            taken.SetResult(Thread.CurrentThread.Name);
        }

        var sender = new Thread(() => proxy!.WriteAsync("an answer"u8.ToArray()).AsTask().Wait()) { Name = "event loop" };
        sender.Start();

        Assert.NotEqual("event loop", await taken.Task.Soon());
    }
}
