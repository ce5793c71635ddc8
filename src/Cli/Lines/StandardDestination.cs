using System.Runtime.InteropServices;

namespace McpProxyFast.Cli.Lines;

/// <summary>The process's stdout or stderr.</summary>
/// <remarks>
/// On Unix not through <see cref="Console"/>, where a write to one of the two waits for a write to the other, and where a reader that has gone goes unseen.
/// If the process was started without the descriptor, the runtime may have given its number to something of its own, which must not be written to.
/// </remarks>
internal sealed unsafe class StandardDestination(int descriptor) : IDestination
{
    private const int DoesNotWait = 8; // RWF_NOWAIT
    private const int AtItsPosition = -1;
    private const int Interrupted = 4; // EINTR
    private const int GetDescriptorFlags = 1; // F_GETFD
    private const int ClosesOnExec = 1; // FD_CLOEXEC

    /// <summary>How long to wait if a descriptor that does not block has no room.</summary>
    private static readonly TimeSpan RoomWait = TimeSpan.FromMilliseconds(20);

    /// <summary>EAGAIN, which has one number on Linux and another on macOS and the BSDs.</summary>
    private static readonly int NoRoom = OperatingSystem.IsLinux() ? 11 : 35;

    private readonly Stream? _console = !OperatingSystem.IsWindows() ? null
        : descriptor == 1 ? Console.OpenStandardOutput()
        : Console.OpenStandardError();

    /// <summary>The process was started with it.</summary>
    private readonly bool _isInherited = IsInherited(descriptor);

    /// <summary>Whether the process was started with a descriptor: what it has opened itself closes on exec; what it was given does not.</summary>
    public static bool IsInherited(int descriptor) => OperatingSystem.IsWindows()
        || (Control(descriptor, GetDescriptorFlags) is >= 0 and var flags && (flags & ClosesOnExec) == 0);

    /// <summary>
    /// Linux writes without waiting to pipes, sockets and files. Cleared where it does not: terminals, named pipes, an old kernel or C library.
    /// </summary>
    private volatile bool _canWriteAtOnce = OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (!_isInherited)
        {
            return; // as if it were /dev/null
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
            return bytes.Length; // as if to /dev/null
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

        return 0; // the write that waits finds whatever else is wrong
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
