using System.Text;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Transport;

namespace McpProxyFast.OAuth.Store;

/// <summary>Reads a file of the store, after checking its owner and its permissions.</summary>
internal static class CheckedFile
{
    private const UnixFileMode GroupOrOthers =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>What users other than the owner may be allowed to do with a file. If its permissions allow more, it is not read.</summary>
    internal enum Others
    {
        /// <summary>Others must not be allowed to do anything with the file, since all of it is secret.</summary>
        MayDoNothing,

        /// <summary>
        /// Others must not be allowed to write the file. They may read it, since it is encrypted. The permissions of the group are not checked, since mounted
        /// volumes often belong to a group.
        /// </summary>
        MayNotWrite,
    }

    /// <returns>
    /// The content; null if there is no such file. At most <paramref name="maxBytes"/> + 1 bytes are read, so that the caller can see whether the file is
    /// longer than allowed.
    /// </returns>
    /// <exception cref="OAuthException">The file must not or cannot be read. The message says what to do.</exception>
    public static byte[]? Read(string path, string name, int maxBytes, Others others)
    {
        string what = $"The credential store's {name} {path}";
        if (Directory.Exists(path))
        {
            throw FileFault.Unfit($"{what} is a folder. Move it away, or set OAuthPolicy.Store to another file.");
        }

        // The owner is also checked before the file is opened: another user could put a named pipe there, and opening it can block for ever.
        if (FileOwner.IsAnother(Encoding.UTF8.GetBytes(path + '\0'), followsLinks: true))
        {
            throw OfAnother(what, path);
        }

        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            Check(file, what, path, others);
            byte[] content = new byte[Math.Min(file.Length, maxBytes + 1L)];
            file.ReadExactly(content);
            return content;
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return new FileInfo(path).LinkTarget is { } target
                ? throw FileFault.Unfit($"{what} is a link to {target}, which is not there. Remove the link, or restore the file.")
                : null;
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            throw FileFault.Of(what, "read", failure);
        }
    }

    private static void Check(FileStream file, string what, string path, Others others)
    {
        if (OperatingSystem.IsWindows())
        {
            return; // on Windows the folder belongs to the user, and the key is encrypted with the user's own key
        }

        if (FileOwner.IsAnother(file.SafeFileHandle))
        {
            throw OfAnother(what, path);
        }

        UnixFileMode open = File.GetUnixFileMode(file.SafeFileHandle) & (others is Others.MayDoNothing ? GroupOrOthers : UnixFileMode.OtherWrite);
        if (open != 0)
        {
            string may = others is Others.MayDoNothing ? "read or changed" : "changed";
            throw FileFault.Unfit($"{what} can be {may} by other users. If nobody has done so, run: chmod 600 {path}");
        }
    }

    private static OAuthException OfAnother(string what, string path) =>
        FileFault.Unfit($"{what} belongs to another user, who may read or change it. Run this program as that user, or run: chown \"$(id -u)\" {path}");
}
