using System.IO.Pipes;
using McpProxyFast.Cli.Lines;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>stdin and stdout as streams: who waits for them, and on which thread.</summary>
public sealed class StandardStreamTests
{
    private static readonly byte[] Line = "a line\n"u8.ToArray();

    [Fact]
    public async Task CallerOfAWriteThatHasToWaitIsNotHeldUp()
    {
        var destination = new Destination();
        await using var stream = new DestinationStream(destination);

        Task writing = stream.WriteAsync(Line).AsTask(); // ends this test only if it does not wait here
        Assert.False(writing.IsCompleted);

        destination.HasRoom.Set();
        await writing.Soon();
        Assert.Equal(Line, destination.Written.ToArray());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(7)]
    public async Task WhatWasWrittenAtOnceIsNotWrittenAgain(int atOnce)
    {
        var destination = new Destination { AtOnce = atOnce };
        await using var stream = new DestinationStream(destination);

        destination.HasRoom.Set();
        await stream.WriteAsync(Line).AsTask().Soon();

        Assert.Equal(Line, destination.Written.ToArray());
    }

    [Fact]
    public async Task WriteToAFullPipeIsRefusedAtOnceAndGoesOnWhenItIsRead()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // elsewhere every write is one that may wait
        }

        // stdout is inherited, as the end of a pipe for a client is.
        using var input = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
        var destination = new StandardDestination((int)input.ClientSafePipeHandle.DangerousGetHandle());
        int written = 0;
        int bytes;
        while ((bytes = destination.WriteAtOnce(Line)) > 0)
        {
            written += bytes;
        }

        Assert.InRange(written, 4_096, int.MaxValue);
        await input.ReadExactlyAsync(new byte[written]).AsTask().Soon();
        Assert.Equal(Line.Length, destination.WriteAtOnce(Line));
    }

    [Fact]
    public async Task ThreadThatReadsGoesOnWithWhatItHasRead()
    {
        var source = new Source();
        await using var stream = new SourceStream(source, "reading thread");
        byte[] buffer = new byte[64];

        Task<(int Count, string? Thread)> reading = ReadAsync();
        async Task<(int Count, string? Thread)> ReadAsync()
        {
            int count = await stream.ReadAtLeastAsync(buffer, Line.Length).ConfigureAwait(false);
            return (count, Thread.CurrentThread.Name);
        }

        source.HasBytes.Set(); // only now, so that the read is waited for
        Assert.Equal((Line.Length, "reading thread"), await reading.Soon());
        Assert.Equal(Line, buffer[..Line.Length]);
    }

    [Fact]
    public async Task ReadThatFailsIsAFaultOfItsOwnAndTheStreamCanBeReadOn()
    {
        await using var stream = new SourceStream(new FailingOnce(), "reading thread");

        await Assert.ThrowsAsync<IOException>(async () => await stream.ReadExactlyAsync(new byte[1]).AsTask().Soon());

        Assert.Equal(0, await stream.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false).AsTask().Soon());
    }

    /// <summary>Takes so many bytes at once, and the others only once it has room.</summary>
    private sealed class Destination : IDestination
    {
        public int AtOnce { get; init; }

        public ManualResetEventSlim HasRoom { get; } = new();

        public MemoryStream Written { get; } = new();

        public int WriteAtOnce(ReadOnlySpan<byte> bytes)
        {
            Written.Write(bytes[..AtOnce]);
            return AtOnce;
        }

        public void Write(ReadOnlySpan<byte> bytes)
        {
            HasRoom.Wait(Patience.Limit);
            Written.Write(bytes);
        }
    }

    /// <summary>Has a line once it is told so.</summary>
    private sealed class Source : MemoryStream
    {
        public ManualResetEventSlim HasBytes { get; } = new();

        public override int Read(Span<byte> buffer)
        {
            HasBytes.Wait(Patience.Limit);
            Line.CopyTo(buffer);
            return Line.Length;
        }
    }

    /// <summary>Fails at the first read, and is at its end at the next.</summary>
    private sealed class FailingOnce : MemoryStream
    {
        private bool _hasFailed;

        public override int Read(Span<byte> buffer)
        {
            bool fails = !_hasFailed;
            _hasFailed = true;
            return fails ? throw new IOException("broken") : 0;
        }
    }
}
