using System.Collections.Concurrent;
using System.Text;
using McpProxyFast.Cli.Lines;
using Xunit;

namespace McpProxyFast.Cli.Tests;

public sealed class LineWriterTests
{
    [Fact]
    public void LinesArriveInTheirOrder()
    {
        var destination = new Destination();
        var writer = new LineWriter(destination, "test");

        string[] lines = [.. Enumerable.Range(0, 1_000).Select(i => $"line {i}")];
        Array.ForEach(lines, writer.Write);
        writer.Flush(Patience.Limit);

        Assert.Equal(lines, destination.Lines);
    }

    [Fact]
    public void NobodyWaitsForADestinationThatTakesNothing()
    {
        var destination = new Destination();
        destination.Room.Reset();
        var writer = new LineWriter(destination, "test");
        writer.Write("line 0");
        destination.Entered.Wait(Patience.Limit); // lines that are lost before the first batch is taken would be counted with that one
        for (int i = 1; i < 3 * LineWriter.MaxLines; i++)
        {
            writer.Write($"line {i}");
        }

        destination.Room.Set();
        writer.Flush(Patience.Limit);
        writer.Write("last");
        writer.Flush(Patience.Limit);

        string notice = Assert.Single(destination.Lines, line => line.Contains("lost", StringComparison.Ordinal));
        long lost = long.Parse(notice.Split(' ')[1]);
        Assert.Equal(3 * LineWriter.MaxLines, destination.Lines.Length - 2 + lost);
        Assert.InRange(lost, LineWriter.MaxLines, 2 * LineWriter.MaxLines);
        Assert.Equal("last", destination.Lines[^1]);
    }

    [Fact]
    public void WhatWaitsIsBoundedInBytesToo()
    {
        var destination = new Destination();
        destination.Room.Reset();
        var writer = new LineWriter(destination, "test");
        string line = new('x', LineWriter.MaxLineCharacters);
        for (int i = 0; i < 4 * LineWriter.MaxBytes / line.Length; i++)
        {
            writer.Write(line);
        }

        destination.Room.Set();
        writer.Flush(Patience.Limit);

        // A batch may have been on its way when the destination had no room.
        Assert.InRange(destination.Lines.Count(written => written.Length == line.Length), 1, 2 * LineWriter.MaxBytes / line.Length);
    }

    [Fact]
    public void LinesOfAFailedWriteAreCountedAndToldOnceThereIsRoomAgain()
    {
        var destination = new Destination { Fails = true };
        var writer = new LineWriter(destination, "test");
        for (int i = 0; i < 3; i++)
        {
            writer.Write("in vain");
            writer.Flush(Patience.Limit);
        }

        destination.Fails = false;
        writer.Write("again");
        writer.Flush(Patience.Limit);

        Assert.Equal(["again", "mcpproxyfast: 3 log lines were lost: the reader of the log was too slow, or the log could not be written"], destination.Lines);
    }

    [Fact]
    public void LongLineIsCut()
    {
        var destination = new Destination();
        var writer = new LineWriter(destination, "test");

        writer.Write(new string('x', 2 * LineWriter.MaxLineCharacters));
        writer.Flush(Patience.Limit);

        Assert.Equal([new string('x', LineWriter.MaxLineCharacters) + "..."], destination.Lines);
    }

    [Fact]
    public void FlushIsBounded()
    {
        var destination = new Destination();
        destination.Room.Reset();
        var writer = new LineWriter(destination, "test");
        writer.Write("stuck");

        writer.Flush(TimeSpan.FromMilliseconds(1)); // returns

        Assert.Empty(destination.Lines);
        destination.Room.Set();
    }

    private sealed class Destination : IDestination
    {
        private readonly ConcurrentQueue<string> _written = new();

        public ManualResetEventSlim Room { get; } = new(initialState: true);

        /// <summary>Set once something is to be written.</summary>
        public ManualResetEventSlim Entered { get; } = new(initialState: false);

        public bool Fails { get; set; }

        public string[] Lines => [.. string.Concat(_written).Split('\n', StringSplitOptions.RemoveEmptyEntries)];

        public void Write(ReadOnlySpan<byte> bytes)
        {
            Entered.Set();
            Room.Wait();
            if (Fails)
            {
                throw new IOException("No space left on device");
            }

            _written.Enqueue(Encoding.UTF8.GetString(bytes));
        }
    }
}
