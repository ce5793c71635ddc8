using System.Runtime.InteropServices;

namespace McpProxyFast.Cli.Lines;

/// <summary>The process's stdout or stderr.</summary>
/// <remarks>
/// On Unix not through <see cref="Console"/>, where a write to one of the two waits for a write to the other, and where a reader that has gone goes unseen.
/// Where the process was started without the descriptor, the runtime may have given its number to something of its own, which must not be written to.
/// </remarks>
internal sealed class StandardDestination(int descriptor) : IDestination
{
    private const int Interrupted = 4; // EINTR
    private const int GetDescriptorFlags = 1; // F_GETFD
    private const int ClosesOnExec = 1; // FD_CLOEXEC

    /// <summary>How long is waited where a descriptor that does not block has no room.</summary>
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

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(int descriptor, int command);

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Write(int descriptor, in byte bytes, nint count);
}
