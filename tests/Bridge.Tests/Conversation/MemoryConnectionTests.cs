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
        }, takesAtOnce: true);
        byte[] buffer = new byte[64];

        Assert.Equal("all of it"u8.Length, await connection.ReadAsync(buffer));
        await Assert.ThrowsAsync<IOException>(async () => Assert.Equal(0, await connection.ReadAsync(buffer)));
    }

    [Fact]
    public async Task EndThatIsNoCutIsAnEnd()
    {
        await using PipeStream connection = MemoryConnection.Open(async end => await end.Output.CompleteAsync(), takesAtOnce: true);

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
        }, takesAtOnce: true);

        Task sending = connection.WriteAsync("a request"u8.ToArray()).AsTask();

        Assert.Equal(Environment.CurrentManagedThreadId, proxy);
        await sending;
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(AnswerScheduler.MaxInlineBytes, true)]
    [InlineData(AnswerScheduler.MaxInlineBytes + 1, false)]
    [InlineData(1, false, false)]
    public async Task FewBytesAreTakenByTheThreadThatSendsThemIfTheReaderNeverBlocks(int bytes, bool isSender, bool takesAtOnce = true)
    {
        await using PipeStream connection = Open(out PipeWriter proxy, takesAtOnce);
        Task<string?> taker = TakerAsync(connection, bytes);

        string sender = Send(() => proxy.WriteAsync(new byte[bytes]).AsTask());

        Assert.Equal(isSender, sender == await taker.Soon());
    }

    [Fact]
    public async Task EndOfTheConnectionIsNotTakenByTheThreadThatEndsIt()
    {
        await using PipeStream connection = Open(out PipeWriter proxy);
        Task<string?> taker = TakerAsync(connection, 0);

        string sender = Send(() => proxy.CompleteAsync().AsTask());

        Assert.NotEqual(sender, await taker.Soon());
    }

    /// <summary>Who sends a request may hold a lock.</summary>
    [Fact]
    public async Task AnswerToARequestIsNotTakenWithinTheCallThatSendsTheRequest()
    {
        await using PipeStream connection = MemoryConnection.Open(async end =>
        {
            await end.Input.ReadAsync().ConfigureAwait(false);
            await end.Output.WriteAsync("an answer"u8.ToArray()).ConfigureAwait(false);
        }, takesAtOnce: true);
        Task<string?> taker = TakerAsync(connection, "an answer"u8.Length);

        string sender = Send(() => connection.WriteAsync("a request"u8.ToArray()).AsTask());

        Assert.NotEqual(sender, await taker.Soon());
    }

    [Fact]
    public async Task WhatComesWhileSomethingIsTakenIsTakenByAnotherThread()
    {
        await using PipeStream first = Open(out PipeWriter firstProxy);
        await using PipeStream second = Open(out PipeWriter secondProxy);
        Task<string?> secondTaker = TakerAsync(second, 1);
        Task<string?> firstTaker = TakeAndSendAsync();
        async Task<string?> TakeAndSendAsync()
        {
            string? thread = await TakerAsync(first, 1).ConfigureAwait(false);
            await secondProxy.WriteAsync(new byte[1]).ConfigureAwait(false);
            return thread;
        }

        string sender = Send(() => firstProxy.WriteAsync(new byte[1]).AsTask());

        Assert.Equal(sender, await firstTaker.Soon());
        Assert.NotEqual(sender, await secondTaker.Soon());
    }

    [Fact]
    public async Task ReadThatIsCanceledGoesOnElsewhereThanWhereItIsCanceled()
    {
        using var canceling = new CancellationTokenSource();
        await using PipeStream connection = Open(out _);
        Task<string?> taker = CanceledAsync();
        async Task<string?> CanceledAsync()
        {
            try
            {
                await connection.ReadExactlyAsync(new byte[1], canceling.Token).ConfigureAwait(false);
                return "not canceled";
            }
            catch (OperationCanceledException)
            {
                return Thread.CurrentThread.Name;
            }
        }

        string sender = Send(() =>
        {
            canceling.Cancel();
            return Task.CompletedTask;
        });

        Assert.DoesNotContain(await taker.Soon(), (string[])[sender, "not canceled"]);
    }

    /// <summary>Else a large message that comes in small parts would be read in as many parts.</summary>
    [Fact]
    public async Task WhatFollowsAPartOfALargeMessageIsTakenByAnotherThreadForAWhile()
    {
        await using PipeStream connection = Open(out PipeWriter proxy);
        Task<string?> taker = FindLargeAsync();
        async Task<string?> FindLargeAsync()
        {
            string? thread = await TakerAsync(connection, 1).ConfigureAwait(false);
            await PoolThread.EnterForLarge();
            return thread;
        }

        string sender = Send(() => proxy.WriteAsync(new byte[1]).AsTask());
        Assert.Equal(sender, await taker.Soon());

        for (int left = AnswerScheduler.RestBytes; left > 0; left -= AnswerScheduler.MaxInlineBytes)
        {
            taker = TakerAsync(connection, AnswerScheduler.MaxInlineBytes);
            Send(() => proxy.WriteAsync(new byte[AnswerScheduler.MaxInlineBytes]).AsTask());
            Assert.NotEqual(sender, await taker.Soon());
        }

        taker = TakerAsync(connection, 1);
        Send(() => proxy.WriteAsync(new byte[1]).AsTask());
        Assert.Equal(sender, await taker.Soon());
    }

    /// <summary>The connection that brings the answer to the handshake, which is translated, may carry the server's stream afterwards.</summary>
    [Fact]
    public async Task WhatFollowsATranslatedMessageIsTakenByTheThreadThatSendsIt()
    {
        await using PipeStream connection = Open(out PipeWriter proxy);
        Task<string?> taker = TranslateAsync();
        async Task<string?> TranslateAsync()
        {
            string? thread = await TakerAsync(connection, 1).ConfigureAwait(false);
            await PoolThread.Enter();
            return thread;
        }

        string sender = Send(() => proxy.WriteAsync(new byte[1]).AsTask());
        Assert.Equal(sender, await taker.Soon());

        taker = TakerAsync(connection, 1);
        Send(() => proxy.WriteAsync(new byte[1]).AsTask());
        Assert.Equal(sender, await taker.Soon());
    }

    [Fact]
    public async Task FewAndManyBytesComeInTheOrderInWhichTheyWereSent()
    {
        var random = new Random(20261127);
        byte[] sent = new byte[4 * 1024 * 1024];
        random.NextBytes(sent);
        int[] cuts = [.. Enumerable.Range(0, 1_000).Select(cut => cut % 2 == 0 ? random.Next(1, 500) : random.Next(1, 60_000))];
        await using PipeStream connection = Open(out PipeWriter proxy);
        Task sending = SendAsync();
        async Task SendAsync()
        {
            int from = 0;
            foreach (int cut in cuts)
            {
                int length = Math.Min(cut, sent.Length - from);
                await proxy.WriteAsync(sent.AsMemory(from, length)).ConfigureAwait(false);
                from += length;
            }

            await proxy.WriteAsync(sent.AsMemory(from)).ConfigureAwait(false);
        }

        byte[] received = new byte[sent.Length];
        await connection.ReadExactlyAsync(received).AsTask().Soon();

        await sending.Soon();
        Assert.True(sent.AsSpan().SequenceEqual(received));
    }

    /// <summary>A connection whose other end only sends.</summary>
    private static PipeStream Open(out PipeWriter proxy, bool takesAtOnce = true)
    {
        PipeWriter? output = null;
        PipeStream connection = MemoryConnection.Open(end =>
        {
            output = end.Output;
            return Task.CompletedTask;
        }, takesAtOnce);
        proxy = output!;
        return connection;
    }

    /// <summary>Waits for bytes, or for the end.</summary>
    /// <returns>The name of the thread that goes on with them.</returns>
    private static async Task<string?> TakerAsync(PipeStream connection, int bytes)
    {
        int count = await connection.ReadAtLeastAsync(new byte[Math.Max(bytes, 1)], 1, throwOnEndOfStream: false).ConfigureAwait(false);
        string? thread = Thread.CurrentThread.Name;
        Assert.Equal(bytes, count);
        return thread;
    }

    /// <summary>Runs something on a thread of its own, to its end.</summary>
    /// <returns>The thread's name.</returns>
    private static string Send(Func<Task> send)
    {
        var thread = new Thread(() => send().Wait()) { Name = "the thread that sends" };
        thread.Start();
        thread.Join();
        return thread.Name;
    }
}
