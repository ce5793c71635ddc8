using System.Text;

namespace McpProxyFast.Cli.Lines;

/// <summary>Writes lines to stderr, stdout or a file: a bounded queue, and one thread that writes.</summary>
/// <remarks>
/// A caller that adds a line never waits for the destination and never sees its errors. If the destination is full or broken, or nobody reads it, lines are
/// lost. Their number is written with the next lines that the destination accepts.
/// </remarks>
internal sealed class LineWriter
{
    /// <summary>The maximum number of lines in the queue. Further lines are lost.</summary>
    public const int MaxLines = 4_096;

    /// <summary>The maximum number of bytes in the queue. Further lines are lost.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>The maximum length of a line in characters. A longer one is cut, and ends with three dots.</summary>
    public const int MaxLineCharacters = 8 * 1024;

    /// <summary>The maximum number of bytes of lines in one write. A note about lost lines may be added.</summary>
    private const int MaxBatchBytes = 64 * 1024;

    /// <summary>The stack size of the thread, in bytes. Its call depth is small.</summary>
    private const int StackBytes = 128 * 1024;

    /// <summary>How long the thread pauses after a failed write, since a full disk stays full for a while.</summary>
    private static readonly TimeSpan RestAfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly IDestination _destination;
    private readonly string _name;

    /// <summary>Guards the fields below. It is held only for moments, and never while the destination is written to.</summary>
    private readonly object _gate = new();

    /// <summary>The lines that wait to be written, each with its line end.</summary>
    private readonly Queue<byte[]> _waiting = new();

    /// <summary>The number of bytes in <see cref="_waiting"/>.</summary>
    private int _waitingBytes;

    /// <summary>The number of lost lines that is still to be written to the destination.</summary>
    private long _lost;

    /// <summary>Whether a batch of lines is being written.</summary>
    private bool _isWriting;

    /// <summary>Whether the thread has been started. The first line starts it.</summary>
    private bool _isStarted;

    /// <param name="destination">The destination. Only one thread at a time writes to it.</param>
    /// <param name="name">The name of the thread.</param>
    public LineWriter(IDestination destination, string name)
    {
        _destination = destination;
        _name = name;
    }

    /// <summary>Adds a line, or counts it as lost. Never waits for the destination and never throws.</summary>
    /// <param name="line">The text without the line end. It may contain line ends.</param>
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

    /// <returns>False if the system cannot start another thread.</returns>
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

    /// <summary>Waits for lines. Takes as many as fit into one write, and the number of lines that were lost before.</summary>
    /// <returns>The number of lines in the batch.</returns>
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
            batch.Write(Encoding.UTF8.GetBytes($"mcpproxyfast: {lost} log {were} lost: the reader of the log was too slow, or the log could not be written\n"));
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
            // Whatever the cause, such as a full disk or a reader that has gone, the process must go on without these lines.
            return false;
        }
    }
}
