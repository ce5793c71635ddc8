using System.Security.Cryptography;
using System.Text;
using McpProxyFast.Transport;

namespace McpProxyFast.OAuth.Store;

/// <summary>
/// Writes files that only their owner can read. A file is replaced as a whole or not at all. The name of the temporary file cannot be guessed.
/// </summary>
internal static class PrivateFile
{
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <exception cref="IOException">The file could not be written. The old content is unchanged.</exception>
    /// <exception cref="UnauthorizedAccessException">The file could not be written. The old content is unchanged.</exception>
    public static void Replace(string path, byte[] content)
    {
        // The temporary name does not contain the store's name, which may already have the maximum length.
        string fresh = Path.Combine(FolderOf(path), $".{RandomNumberGenerator.GetHexString(16, lowercase: true)}.new");
        try
        {
            using (FileStream file = Open(fresh, FileMode.CreateNew, FileAccess.Write)) // O_EXCL: fails if the file exists, and follows no link
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, overwrite: true);
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            Drop(fresh);
            throw;
        }
    }

    /// <summary>Opens a lock file for this process alone, and creates it if it does not exist.</summary>
    /// <remarks>The file mode prevents other users from opening the file: a user who can open it could lock it and never release it.</remarks>
    public static FileStream OpenLock(string path)
    {
        if (new FileInfo(path).LinkTarget is not null)
        {
            throw new UnauthorizedAccessException("it is a link; remove it");
        }

        FileStream file = OpenOwn(path);
        try
        {
            if (FileOwner.IsAnother(file.SafeFileHandle))
            {
                throw OfAnother();
            }

            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & ~OwnerOnly) != 0)
            {
                File.SetUnixFileMode(file.SafeFileHandle, OwnerOnly);
            }

            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public static void MakeFolder(string file)
    {
        string folder = FolderOf(file);
        if (Directory.Exists(folder))
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        }
    }

    // If another user owns the locked file, this fails at once. It does not wait, since the other user could hold the lock for ever.
    private static FileStream OpenOwn(string path)
    {
        try
        {
            return Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        }
        catch (IOException failure) when (FileFault.IsBusy(failure) && FileOwner.IsAnother(Encoding.UTF8.GetBytes(path + '\0')))
        {
            throw OfAnother();
        }
    }

    private static UnauthorizedAccessException OfAnother() => new("it belongs to another user; remove it");

    private static string FolderOf(string file) => Path.GetDirectoryName(Path.GetFullPath(file))!;

    private static FileStream Open(string path, FileMode mode, FileAccess access)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        return new FileStream(path, options);
    }

    private static void Drop(string fresh)
    {
        try
        {
            File.Delete(fresh);
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            // The file may not have been created; then there is nothing to delete. The exception that the caller throws says what was wrong.
        }
    }
}
