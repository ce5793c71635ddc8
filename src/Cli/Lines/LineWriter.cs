using System.Text;

namespace McpProxyFast.Cli.Lines;

/// <summary>Lines on their way to stderr, stdout or a file: a bounded queue, and one thread that writes.</summary>
/// <remarks>
/// A caller that adds a line never waits for the destination and never sees its errors. If the destination is full, broken or unread, lines are lost; how many
/// is written there once it takes something again.
/// </remarks>
internal sealed class LineWriter
{
    /// <summary>Most lines that wait. Above it a line is lost.</summary>
    public const int MaxLines = 4_096;

    /// <summary>Most bytes that wait. Above it a line is lost.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>The longest line that is kept whole; a longer one is cut, and ends with three dots.</summary>
    public const int MaxLineCharacters = 8 * 1024;

    /// <summary>Most bytes in one write.</summary>
    private const int MaxBatchBytes = 64 * 1024;

    /// <summary>The writer's stack: it calls little.</summary>
    private const int StackBytes = 128 * 1024;

    /// <summary>How long the writer rests after a write that failed: a full disk stays full for a while.</summary>
    private static readonly TimeSpan RestAfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly IDestination _destination;
    private readonly string _name;

    /// <summary>Guards everything below. Held for moments only, and never while the destination is written to.</summary>
    private readonly object _gate = new();

    /// <summary>What waits, each with its line end.</summary>
    private readonly Queue<byte[]> _waiting = new();

    /// <summary>The bytes of what waits.</summary>
    private int _waitingBytes;

    /// <summary>How many lines were lost and not yet told.</summary>
    private long _lost;

    /// <summary>A batch is being written.</summary>
    private bool _isWriting;

    /// <summary>The writer has been started, with the first line.</summary>
    private bool _isStarted;

    /// <param name="destination">Written to by one thread at a time.</param>
    /// <param name="name">The name of the thread.</param>
    public LineWriter(IDestination destination, string name)
    {
        _destination = destination;
        _name = name;
    }

    /// <summary>Adds a line, or counts it as lost. Never waits for the destination and never throws.</summary>
    /// <param name="line">Without its end; it may hold line ends of its own.</param>
    public void Write(string line)
    {
        byte[] bytes = Encoding.UTF8.GetBytes((line.Length > MaxLineCharacters ? line[..MaxLineCharacters] + "..." : line) + "\n");
        lock (_gate)
        {
            if (_waiting.Count >= MaxLines || _waitingBytes + bytes.Length > MaxBytes || !TryStart())
            {
                _lost++;
                return;
            }

            _waiting.Enqueue(bytes);
            _waitingBytes += bytes.Length;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until everything has been written, or the time is over.</summary>
    public void Flush(TimeSpan limit)
    {
        long end = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        lock (_gate)
        {
            while ((_waiting.Count > 0 || _isWriting) && end - Environment.TickCount64 is var left and > 0)
            {
                Monitor.Wait(_gate, (int)left);
            }
        }
    }

    /// <returns>False if the system has no thread to give.</returns>
    private bool TryStart()
    {
        if (_isStarted)
        {
            return true;
        }

        try
        {
            new Thread(Run, StackBytes) { IsBackground = true, Name = _name }.Start();
            return _isStarted = true;
        }
        catch (Exception fault) when (fault is OutOfMemoryException or ThreadStartException)
        {
            return false;
        }
    }

    private void Run()
    {
        var batch = new MemoryStream(MaxBatchBytes);
        while (true)
        {
            int lines = Take(batch, out long lost);
            bool isWritten = TryWrite(batch);
            lock (_gate)
            {
                _isWriting = false;
                _lost += isWritten ? 0 : lines + lost;
                Monitor.PulseAll(_gate);
            }

            if (!isWritten)
            {
                Thread.Sleep(RestAfterFailure);
            }
        }
    }

    /// <summary>Waits for lines and takes as many as go into one write, and the number of those lost before.</summary>
    /// <returns>How many lines the batch has.</returns>
    private int Take(MemoryStream batch, out long lost)
    {
        batch.SetLength(0);
        int lines = 0;
        lock (_gate)
        {
            while (_waiting.Count == 0)
            {
                Monitor.Wait(_gate);
            }

            while (_waiting.TryPeek(out byte[]? line) && (lines == 0 || batch.Length + line.Length <= MaxBatchBytes))
            {
                batch.Write(_waiting.Dequeue());
                _waitingBytes -= line.Length;
                lines++;
            }

            (lost, _lost, _isWriting) = (_lost, 0, true);
        }

        if (lost > 0)
        {
            string were = lost == 1 ? "line was" : "lines were";
            batch.Write(Encoding.UTF8.GetBytes($"mcpproxyfast: {lost} log {were} lost: nobody read them in time, or they could not be written\n"));
        }

        return lines;
    }

    private bool TryWrite(MemoryStream batch)
    {
        try
        {
            _destination.Write(batch.GetBuffer().AsSpan(0, (int)batch.Length));
            return true;
        }
        catch (Exception)
        {
            // A full disk, a reader that has gone, whatever else: the process does what it is there for without its lines.
            return false;
        }
    }
}
