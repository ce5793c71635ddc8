using System.Runtime.InteropServices;

namespace McpProxyFast.Cli.Lines;

/// <summary>The process's stdout or stderr.</summary>
/// <remarks>
/// On Unix it does not use <see cref="Console"/>. There a write to stdout waits for a write to stderr and the other way round, and gives no error when the
/// reader has gone. If the process was started without the descriptor, the runtime may use the number for a file of its own, which must not be written to.
/// </remarks>
internal sealed unsafe class StandardDestination(int descriptor) : IDestination
{
    private const int DoesNotWait = 8; // RWF_NOWAIT
    private const int AtItsPosition = -1;
    private const int Interrupted = 4; // EINTR
    private const int GetDescriptorFlags = 1; // F_GETFD
    private const int ClosesOnExec = 1; // FD_CLOEXEC

    /// <summary>How long to wait before the next attempt if a non-blocking descriptor accepts no bytes now.</summary>
    private static readonly TimeSpan RoomWait = TimeSpan.FromMilliseconds(20);

    /// <summary>The error EAGAIN. Its number on Linux differs from that on macOS and the BSDs.</summary>
    private static readonly int NoRoom = OperatingSystem.IsLinux() ? 11 : 35;

    private readonly Stream? _console = !OperatingSystem.IsWindows() ? null
        : descriptor == 1 ? Console.OpenStandardOutput()
        : Console.OpenStandardError();

    /// <summary>Whether the process was started with the descriptor.</summary>
    private readonly bool _isInherited = IsInherited(descriptor);

    /// <summary>
    /// Whether the process was started with a descriptor. One that the runtime has opened has the flag close-on-exec; an inherited one has not.
    /// </summary>
    public static bool IsInherited(int descriptor) => OperatingSystem.IsWindows()
        || (Control(descriptor, GetDescriptorFlags) is >= 0 and var flags && (flags & ClosesOnExec) == 0);

    /// <summary>
    /// Whether the system can write to the descriptor without waiting. Linux can do so for pipes, sockets and files. Set to false when an attempt shows that it
    /// cannot: for terminals, named pipes, or with an old kernel or C library.
    /// </summary>
    private volatile bool _canWriteAtOnce = OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (!_isInherited)
        {
            return; // drops the bytes, as /dev/null does
        }

        if (_console is not null)
        {
            _console.Write(bytes);
            return;
        }

        while (!bytes.IsEmpty)
        {
            nint written = Write(descriptor, in MemoryMarshal.GetReference(bytes), bytes.Length);
            if (written >= 0)
            {
                bytes = bytes[(int)written..];
                continue;
            }

            int error = Marshal.GetLastPInvokeError();
            if (error == NoRoom)
            {
                Thread.Sleep(RoomWait);
            }
            else if (error != Interrupted)
            {
                throw new IOException(Marshal.GetPInvokeErrorMessage(error));
            }
        }
    }

    public int WriteAtOnce(ReadOnlySpan<byte> bytes)
    {
        if (!_isInherited)
        {
            return bytes.Length; // drops the bytes, as /dev/null does
        }

        if (!_canWriteAtOnce || bytes.IsEmpty)
        {
            return 0;
        }

        try
        {
            fixed (byte* first = bytes)
            {
                var run = new Run { First = first, Length = bytes.Length };
                nint written = WriteRuns(descriptor, &run, 1, AtItsPosition, DoesNotWait);
                if (written >= 0)
                {
                    return (int)written;
                }
            }

            _canWriteAtOnce = Marshal.GetLastPInvokeError() is var error && (error == NoRoom || error == Interrupted);
        }
        catch (EntryPointNotFoundException)
        {
            _canWriteAtOnce = false;
        }

        return 0; // the caller now calls Write, which waits, and which throws if the error remains
    }

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(int descriptor, int command);

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Write(int descriptor, in byte bytes, nint count);

    [DllImport("libc", EntryPoint = "pwritev2", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint WriteRuns(int descriptor, Run* runs, int count, long position, int flags);

    /// <summary><c>struct iovec</c>.</summary>
    private struct Run
    {
        public byte* First;
        public nint Length;
    }
}
