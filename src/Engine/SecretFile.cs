using System.Collections.Concurrent;

namespace McpProxyFast;

/// <summary>Reads a secret from a file that the operator has named. The size of the file and the time to read it are limited.</summary>
/// <remarks>
/// The file may be anything that can be opened, such as a pipe from a password manager. So the bytes are counted during the read; the system is not asked for
/// the size. A pipe to which nobody writes blocks the thread that reads it. So another thread reads, and the caller stops waiting after <see cref="MaxWait"/>.
/// </remarks>
internal static class SecretFile
{
    /// <summary>The maximum size of a file in bytes; a larger file is refused. A token or a key has a few KiB, so a larger file is the wrong one.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>The maximum time that a caller waits; then the read fails. Mounted secrets and pipes are usually read within milliseconds.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The reads whose callers have stopped waiting, by path. Such a read may still block its thread, and a further read must not block another. So if it
    /// blocks on a pipe, a further read of the path fails if there is still a pipe. If it blocks on anything else, a further read fails at once.
    /// </summary>
    private static readonly ConcurrentDictionary<string, Reading[]> GivenUp = new();

    /// <summary>Reads a file and trims white space. It blocks the thread, so it is only for the time before the proxy serves requests.</summary>
    /// <param name="path">The file.</param>
    /// <param name="within">How long to wait; null for <see cref="MaxWait"/>.</param>
    /// <exception cref="SecretFileException">The file cannot be read, or not in time; or it is empty or too large.</exception>
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
    /// <exception cref="SecretFileException">The file cannot be read, or not in time; or it is empty or too large.</exception>
    public static async Task<string> ReadAsync(string path, CancellationToken cancellationToken, TimeSpan? within = null)
    {
        Reading reading = Begin(path);
        try
        {
#pragma warning disable RS0030 // in the pool, since opening a pipe can block the thread
            await Task.Run(reading.Run, CancellationToken.None).WaitAsync(within ?? MaxWait, cancellationToken).ConfigureAwait(false);
#pragma warning restore RS0030
        }
        catch (TimeoutException)
        {
            throw GiveUp(reading);
        }

        return reading.Text();
    }

    /// <summary>Creates a read of a file. Throws if the read would only block one more thread.</summary>
    /// <remarks>
    /// Earlier reads of the path may still block. If they block on a pipe, the path may now lead to a file, so the new read looks: it reads a file, and fails
    /// if there is still a pipe. If an earlier read blocks on something else, the disk does not answer, and a new read would block too.
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

    /// <summary>One read. The thread that reads writes the fields. All but <c>_isOfPipe</c> are valid only when <see cref="IsOver"/> is true.</summary>
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

        /// <summary>
        /// Whether the path leads to a pipe or a device. It is false before the file system has answered. Other threads may read this field at any time.
        /// </summary>
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
                // A pipe and a device have length 0. So has an empty file; it is treated like a pipe, which does no harm, since it has no secret.
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

        /// <exception cref="SecretFileException">The file cannot be read, is empty, or is too large.</exception>
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

/// <summary>
/// A file has no usable secret. The message is the path and what is wrong with the file, without a full stop, so that it can be part of a longer sentence.
/// </summary>
internal sealed class SecretFileException(string path, string wrong, Exception? cause = null) : Exception($"{path} {wrong}", cause);
