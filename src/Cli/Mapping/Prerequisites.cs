using System.Runtime.InteropServices;
using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>What the command needs from its machine beside itself. What is missing is said in one sentence before anything starts.</summary>
internal static class Prerequisites
{
    /// <summary>The home folder that Debian gives users without one. It does not exist, but a path is all that the runtime needs.</summary>
    private const string NoHome = "/nonexistent";

    /// <summary>OpenSSL by the names that the runtime looks for. It has no cryptography of its own on Linux, and aborts if it finds none.</summary>
    private static readonly string[] OpenSsl = ["libssl.so.3", "libssl.so.1.1", "libssl.so.4"];

    /// <summary>Says what a proxy with these flags would miss.</summary>
    /// <exception cref="FailedException">It needs OpenSSL, and there is none.</exception>
    public static void Check(ProxyOptions options) => RequireOpenSsl(ReasonOf(options), NativeLibrary.TryLoad);

    /// <summary>Says what a bridge with these flags would miss.</summary>
    /// <exception cref="FailedException">It needs OpenSSL, and there is none.</exception>
    public static void Check(string targetUri, OutgoingOptions options) => RequireOpenSsl(ReasonOf(targetUri, options), NativeLibrary.TryLoad);

    /// <summary>Says what signing in, or reading what is stored, would miss.</summary>
    /// <exception cref="FailedException">There is no OpenSSL.</exception>
    public static void CheckStore() => RequireOpenSsl("the credential store", NativeLibrary.TryLoad);

    /// <param name="reason">What needs it; null if nothing does.</param>
    /// <param name="tryLoad">Loads a library by its name.</param>
    /// <exception cref="FailedException">It is needed, and there is none.</exception>
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

    /// <summary>Lets a user without a home folder use TLS: the runtime looks there for the user's own certificates, and fails if it cannot.</summary>
    public static void DoWithoutHome()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        if (!OperatingSystem.IsWindows() && home is "" or "/" && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME")))
        {
            Environment.SetEnvironmentVariable("HOME", NoHome);
        }
    }

    /// <summary>The path, unless it lies below a home folder that there is not.</summary>
    /// <exception cref="UsageException">The user has no home folder.</exception>
    public static string HomeOf(string path) => HasHome(path)
        ? path
        : throw new UsageException("this user has no home folder to keep credentials in; name a file with --remote-auth-store, or none to keep them in memory");

    /// <summary>Whether the path, which lies in the user's home folder, leads anywhere.</summary>
    public static bool HasHome(string path) => Path.IsPathRooted(path) && !path.StartsWith(NoHome + "/", StringComparison.Ordinal);

    /// <summary>The first flag whose work cannot be done without cryptography.</summary>
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
