using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Store;

/// <summary>Makes error messages for failures of the file system.</summary>
internal static class FileFault
{
    /// <summary>The code of the error if the disk is full, or the store would become too large.</summary>
    public const string Full = "store-full";

    private const string Unusable = "store-unusable";

    public static bool Is(Exception failure) => failure is IOException or UnauthorizedAccessException;

    /// <summary>Whether the failure means that another process has the file open exclusively.</summary>
    public static bool IsBusy(IOException failure) => OperatingSystem.IsWindows()
        ? (failure.HResult & 0xFFFF) is 32 or 33 // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION
        : failure.HResult == (OperatingSystem.IsLinux() ? 11 : 35); // EWOULDBLOCK

    /// <param name="what">The file, such as "The lock /a/b".</param>
    /// <param name="verb">What could not be done with it, such as "opened".</param>
    /// <param name="failure">The system's exception.</param>
    public static OAuthException Of(string what, string verb, Exception failure) => new(
        OAuthFailure.Refused,
        IsFull(failure) ? Full : Unusable,
        $"{what} cannot be {verb}: {Reason(failure)}. Fix this, or set OAuthPolicy.Store to another file, or to none to keep credentials in memory.",
        failure);

    /// <summary>Makes the error for a file that exists but must not be used.</summary>
    public static OAuthException Unfit(string message) => OAuthException.Refused(Unusable, message);

    private static bool IsFull(Exception failure) => OperatingSystem.IsWindows()
        ? (failure.HResult & 0xFFFF) is 39 or 112 // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL
        : failure.HResult == 28 || failure.HResult == (OperatingSystem.IsLinux() ? 122 : 69); // ENOSPC, EDQUOT

    private static string Reason(Exception failure) => failure switch
    {
        PathTooLongException => "the name is too long",
        DirectoryNotFoundException => "its folder is not there and cannot be made",
        _ when IsFull(failure) => "the disk is full",
        _ => failure.Message.TrimEnd('.'),
    };
}
