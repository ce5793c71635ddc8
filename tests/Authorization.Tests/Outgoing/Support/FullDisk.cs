namespace McpProxyFast.Authorization.Tests.Outgoing.Support;

/// <summary>A folder in which a store named <c>s</c> can be locked and read, but not written: as on a disk that is full.</summary>
/// <remarks>Its path is so long that the system takes the store's names, but not the longer one of the file that would replace it.</remarks>
internal static class FullDisk
{
    /// <summary>PATH_MAX without the byte that ends a path.</summary>
    private static readonly int s_longestPath = OperatingSystem.IsLinux() ? 4095 : 1023;

    public static string MakeFolder(string parent)
    {
        int length = s_longestPath - "/s.signin-12345678".Length;
        string folder = parent;
        while (folder.Length < length)
        {
            int name = Math.Min(200, length - folder.Length - 1);
            folder += "/" + new string('f', length - folder.Length - 1 - name == 1 ? name - 1 : name);
        }

        Directory.CreateDirectory(folder);
        return folder;
    }
}
