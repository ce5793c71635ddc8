using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace McpProxyFast.Transport;

/// <summary>Finds the owner of a file, which the framework does not tell.</summary>
/// <remarks>
/// On other systems than Linux, only the mode is checked: apart from an administrator, nobody but the owner can read a file with an owner-only mode.
/// </remarks>
internal static unsafe partial class FileOwner
{
    private const string C = "libc";
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH: the descriptor itself
    private const uint UserId = 8; // STATX_UID
    private const int StatBytes = 256;
    private const int UserIdOffset = 20;

    /// <summary>Whether the file's owner is not the effective user of this process.</summary>
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
