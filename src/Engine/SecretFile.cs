using System.Collections.Concurrent;

namespace McpProxyFast;

/// <summary>Reads a secret from a file that the operator has named: at most <see cref="MaxBytes"/>, within <see cref="MaxWait"/>.</summary>
/// <remarks>
/// The file may be anything that can be opened, such as a pipe from a password manager. So the bytes are counted while reading; the system is not asked for the
/// size. A pipe to which nobody writes blocks its reader, so the read has its own thread, and the caller stops waiting after <see cref="MaxWait"/>.
/// </remarks>
internal static class SecretFile
{
    /// <summary>The maximum size of a file in bytes. A token or a key has a few KiB; a larger file is the wrong one.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>The maximum time that a caller waits. Mounted secrets and pipes answer within milliseconds.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Reads that were given up and may still block a thread, by path: of a pipe, and of what has taken the pipe's place. None is begun while one blocks that
    /// is not of a pipe, and no further pipe is opened while one of a pipe does.
    /// </summary>
    private static readonly ConcurrentDictionary<string, Reading[]> GivenUp = new();

    /// <summary>Reads a file and trims white space. It blocks the thread, so it is only for the time before the proxy serves requests.</summary>
    /// <param name="path">The file.</param>
    /// <param name="within">How long to wait; null for <see cref="MaxWait"/>.</param>
    /// <exception cref="SecretFileException">The file cannot be read in time, is empty, or is too large.</exception>
    public static string Read(string path, TimeSpan? within = null)
    {
        Reading reading = Begin(path);
        var thread = new Thread(reading.Run) { IsBackground = true, Name = "secret file" };
        thread.Start();
        return thread.Join(within ?? MaxWait) ? reading.Text() : throw GiveUp(reading);
    }

    /// <summary>Reads a file and trims white space.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Cancelled to stop waiting.</param>
    /// <param name="within">How long to wait; null for <see cref="MaxWait"/>.</param>
    /// <exception cref="SecretFileException">The file cannot be read in time, is empty, or is too large.</exception>
    public static async Task<string> ReadAsync(string path, CancellationToken cancellationToken, TimeSpan? within = null)
    {
        Reading reading = Begin(path);
        try
        {
#pragma warning disable RS0030 // to open a pipe can block
            await Task.Run(reading.Run, CancellationToken.None).WaitAsync(within ?? MaxWait, cancellationToken).ConfigureAwait(false);
#pragma warning restore RS0030
        }
        catch (TimeoutException)
        {
            throw GiveUp(reading);
        }

        return reading.Text();
    }

    /// <summary>Begins a read, unless it would only block one more thread.</summary>
    /// <remarks>
    /// A read of a pipe that blocks says nothing about the file that has taken the pipe's place since, so that one is read. If the path still leads to a pipe,
    /// or a read of something else blocks because its disk does not answer, another read would block as well.
    /// </remarks>
    /// <exception cref="SecretFileException">Earlier reads of the file still block threads.</exception>
    private static Reading Begin(string path)
    {
        if (!GivenUp.TryGetValue(path, out Reading[]? known))
        {
            return new Reading(path, opensPipes: true);
        }

        Reading[] blocked = Array.FindAll(known, static earlier => !earlier.IsOver);
        if (blocked.Length == 0)
        {
            GivenUp.TryRemove(new KeyValuePair<string, Reading[]>(path, known));
            return new Reading(path, opensPipes: true);
        }

        return Array.TrueForAll(blocked, static earlier => earlier.IsOfPipe) ? new Reading(path, opensPipes: false) : throw NoAnswer(path);
    }

    private static SecretFileException GiveUp(Reading reading)
    {
        GivenUp.AddOrUpdate(reading.Path, [reading], (_, known) => [.. Array.FindAll(known, static earlier => !earlier.IsOver), reading]);
        return NoAnswer(reading.Path);
    }

    private static SecretFileException NoAnswer(string path) => new(path, "cannot be read: it is a pipe that nobody writes to, or its disk does not answer");

    /// <summary>One read. The fields are written by its thread and valid once <see cref="IsOver"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="opensPipes">Whether a pipe may be opened, which blocks until somebody writes to it.</param>
    private sealed class Reading(string path, bool opensPipes)
    {
        /// <summary>The bytes that were read. There is room for one byte more than allowed, so that a file that is too large is noticed.</summary>
        private readonly byte[] _bytes = new byte[MaxBytes + 1];

        /// <summary>How many bytes were read.</summary>
        private int _length;

        /// <summary>Why the file cannot be read; null if it can.</summary>
        private SecretFileException? _failure;

        /// <summary>Whether a pipe or a device is read. May be read at any time; false until the system has answered.</summary>
        private volatile bool _isOfPipe;

        /// <summary>Whether the read has ended. Written after all other fields.</summary>
        private volatile bool _isOver;

        public string Path => path;

        public bool IsOver => _isOver;

        public bool IsOfPipe => _isOfPipe;

        public void Run()
        {
            try
            {
                // A pipe and a device have no length. Nor has an empty file, in which there is nothing to read.
                FileSystemInfo file = File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path);
                _isOfPipe = file is FileInfo { Exists: true, Length: 0 };
                if (_isOfPipe && !opensPipes)
                {
                    _failure = NoAnswer(path);
                    _isOver = true;
                    return;
                }

                using FileStream content = File.OpenRead(path);
                _length = content.ReadAtLeast(_bytes, _bytes.Length, throwOnEndOfStream: false);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
            {
                _failure = new SecretFileException(path, $"cannot be read: {ReasonOf(failure)}", failure);
            }

            _isOver = true;
        }

        /// <exception cref="SecretFileException">There is no secret in the file.</exception>
        public string Text()
        {
            if (_failure is not null)
            {
                throw _failure;
            }

            if (_length > MaxBytes)
            {
                throw new SecretFileException(path, $"is larger than {MaxBytes / 1024} KiB");
            }

            using var reader = new StreamReader(new MemoryStream(_bytes, 0, _length));
            return reader.ReadToEnd().Trim() is { Length: > 0 } text ? text : throw new SecretFileException(path, "is empty");
        }

        private string ReasonOf(Exception failure) => failure switch
        {
            FileNotFoundException or DirectoryNotFoundException => "there is no such file",
            UnauthorizedAccessException when Directory.Exists(path) => "it is a folder",
            UnauthorizedAccessException => "this user may not read it",
            ArgumentException => "no file can have this name",
            _ => failure.Message.TrimEnd('.'),
        };
    }
}

/// <summary>A file has no usable secret. The message is part of a sentence: the path and what is wrong with the file.</summary>
internal sealed class SecretFileException(string path, string wrong, Exception? cause = null) : Exception($"{path} {wrong}", cause);
