using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace McpProxyFast.Transport;

/// <summary>Finds the owner of a file. The framework has no call for that.</summary>
/// <remarks>
/// On systems other than Linux, the methods return false, and callers rely on the mode of the file alone: apart from an administrator, only the owner can read
/// a file with an owner-only mode.
/// </remarks>
internal static unsafe partial class FileOwner
{
    private const string C = "libc";
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH: the path is empty, and the descriptor names the file
    private const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW: ask about a link itself, not its target
    private const int CurrentFolder = -100; // AT_FDCWD: a relative path starts at the current folder
    private const uint UserId = 8; // STATX_UID: ask for the owner
    private const int StatBytes = 256;
    private const int UserIdOffset = 20;

    /// <summary>Whether the open file belongs to another user than the effective user of this process. False if the system does not report the owner.</summary>
    public static bool IsAnother(SafeFileHandle file) => IsAnother((int)file.DangerousGetHandle(), [0], EmptyPath);

    /// <summary>
    /// Whether a file belongs to another user than the effective user of this process, without opening the file. False if the system does not report the owner.
    /// </summary>
    /// <param name="path">The path in UTF-8, with a zero at its end.</param>
    /// <param name="followsLinks">Whether a symbolic link is followed to its target. If false, the owner of the link itself is checked.</param>
    public static bool IsAnother(ReadOnlySpan<byte> path, bool followsLinks = false)
    {
        Debug.Assert(path is [.., 0], "The path ends with a zero byte.");
        return IsAnother(CurrentFolder, path, followsLinks ? 0 : NoFollow);
    }

    private static bool IsAnother(int folder, ReadOnlySpan<byte> path, int flags)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            byte* stat = stackalloc byte[StatBytes];
            fixed (byte* name = path)
            {
                return statx(folder, name, flags, UserId, stat) == 0 && *(uint*)(stat + UserIdOffset) != geteuid();
            }
        }
        catch (EntryPointNotFoundException)
        {
            return false; // musl before 1.2.5 has no statx, so the owner is not known
        }
    }

    [LibraryImport(C)]
    private static partial int statx(int folder, byte* path, int flags, uint mask, byte* stat);

    [LibraryImport(C)]
    private static partial uint geteuid();
}
