using System.Runtime.InteropServices;
using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>Checks that the machine has what the command needs. If something is missing, the command fails with one sentence before anything starts.</summary>
internal static class Prerequisites
{
    /// <summary>The path that Debian sets as the home folder of users without one. It does not exist, but the runtime needs only a path.</summary>
    private const string NoHome = "/nonexistent";

    /// <summary>
    /// The file names of OpenSSL that the runtime looks for. On Linux the runtime has no cryptography of its own, and aborts the process without OpenSSL.
    /// </summary>
    private static readonly string[] OpenSsl = ["libssl.so.3", "libssl.so.1.1", "libssl.so.4"];

    /// <summary>Checks what a proxy with these flags needs.</summary>
    /// <exception cref="FailedException">OpenSSL is needed and missing.</exception>
    public static void Check(ProxyOptions options) => RequireOpenSsl(ReasonOf(options), NativeLibrary.TryLoad);

    /// <summary>Checks what a bridge with these flags needs.</summary>
    /// <exception cref="FailedException">OpenSSL is needed and missing.</exception>
    public static void Check(string targetUri, OutgoingOptions options) => RequireOpenSsl(ReasonOf(targetUri, options), NativeLibrary.TryLoad);

    /// <summary>Checks what the verbs that use the credential store need.</summary>
    /// <exception cref="FailedException">OpenSSL is missing.</exception>
    public static void CheckStore() => RequireOpenSsl("the credential store", NativeLibrary.TryLoad);

    /// <param name="reason">What needs OpenSSL, for the message; null if nothing does.</param>
    /// <param name="tryLoad">Loads a library by its name.</param>
    /// <exception cref="FailedException">OpenSSL is needed and missing.</exception>
    public static void RequireOpenSsl(string? reason, TryLoad tryLoad)
    {
        if (reason is null || !OperatingSystem.IsLinux())
        {
            return;
        }

        string? own = Environment.GetEnvironmentVariable("CLR_OPENSSL_VERSION_OVERRIDE");
        IEnumerable<string> names = string.IsNullOrEmpty(own) ? OpenSsl : OpenSsl.Prepend($"libssl.so.{own}");
        if (!names.Any(name => tryLoad(name, out _)))
        {
            throw new FailedException(
                $"{reason} needs OpenSSL, and {OpenSsl[0]} is not on this machine; install libssl3 (Debian, Ubuntu, Alpine) or openssl-libs (Fedora)");
        }
    }

    /// <summary>
    /// Lets a user without a home folder use TLS: sets HOME to a path that need not exist. The runtime looks for certificates in the home folder, and fails if
    /// the user has none.
    /// </summary>
    public static void DoWithoutHome()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        if (!OperatingSystem.IsWindows() && home is "" or "/" && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME")))
        {
            Environment.SetEnvironmentVariable("HOME", NoHome);
        }
    }

    /// <summary>Returns the path if the user has a home folder.</summary>
    /// <exception cref="UsageException">The user has no home folder.</exception>
    public static string HomeOf(string path) => HasHome(path)
        ? path
        : throw new UsageException(
            "this user has no home folder to keep credentials in; give a file with --remote-auth-store "
            + "(proxy, stdio and tunnel also take --remote-auth-store none: in memory)");

    /// <summary>Whether the user has a home folder, judged by a path in it.</summary>
    public static bool HasHome(string path) => Path.IsPathRooted(path) && !path.StartsWith(NoHome + "/", StringComparison.Ordinal);

    /// <summary>Returns the first thing that needs cryptography, such as a flag; null if nothing does.</summary>
    private static string? ReasonOf(ProxyOptions options)
    {
        (bool Needed, string Reason)[] reasons =
        [
            (options.OidcIssuer is not null, "--oidc-issuer"),
            (options.OidcJwksUrl is not null, "--oidc-jwks-url"),
            (options.OidcIntrospectionUrl is not null, "--oidc-introspection-url"),
        ];
        return ReasonOf(options.TargetUri, options) ?? Array.Find(reasons, reason => reason.Needed).Reason;
    }

    private static string? ReasonOf(string targetUri, OutgoingOptions options)
    {
        (bool Needed, string Reason)[] reasons =
        [
            (targetUri.StartsWith("https:", StringComparison.OrdinalIgnoreCase), "an https --target-uri"),
            (options.CaFile is not null, "--ca-file"),
            (OutgoingFlags.SignsIn(options), "signing in at the target"),
            (options is ExchangeOptions { TokenExchangeUrl: not null }, "--token-exchange-url"),
            (ForwardFlags.ReadStore(options), "a stored secret (--remote-forward-headers-secret)"),
        ];
        return Array.Find(reasons, reason => reason.Needed).Reason;
    }

    /// <summary>Loads a library, as <see cref="NativeLibrary.TryLoad(string, out nint)"/> does.</summary>
    internal delegate bool TryLoad(string name, out nint library);
}
