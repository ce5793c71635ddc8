using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace McpProxyFast.Transport;

/// <summary>Whose a file is, which the framework does not say.</summary>
/// <remarks>Elsewhere than on Linux the mode alone is looked at: a file that only its owner can read is read by nobody else but an administrator.</remarks>
internal static unsafe partial class FileOwner
{
    private const string C = "libc";
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH: the descriptor itself
    private const uint UserId = 8; // STATX_UID
    private const int StatBytes = 256;
    private const int UserIdOffset = 20;

    /// <summary>Whether the file belongs to another user than the one whose rights this process has.</summary>
    public static bool IsAnother(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            byte* stat = stackalloc byte[StatBytes];
            byte noPath = 0;
            return statx((int)file.DangerousGetHandle(), &noPath, EmptyPath, UserId, stat) == 0 && *(uint*)(stat + UserIdOffset) != geteuid();
        }
        catch (EntryPointNotFoundException)
        {
            return false; // musl before 1.2.5 has no statx
        }
    }

    [LibraryImport(C)]
    private static partial int statx(int folder, byte* path, int flags, uint mask, byte* stat);

    [LibraryImport(C)]
    private static partial uint geteuid();
}
