using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>Maps the flags for the sign-in at the target to the engine's outgoing policy.</summary>
internal static class OutgoingFlags
{
    private const string NoStore = "none";

    // The variable may be set and empty. That does not count as a missing key: the engine refuses it.
    private static string? Key => Environment.GetEnvironmentVariable(FlagNames.StoreKeyVariable);

    /// <returns>The policy; null if none of the flags that turn the sign-in on is given.</returns>
    /// <exception cref="UsageException">The flags contradict each other, or a file cannot be read.</exception>
    public static OutgoingPolicy? ToPolicy(OutgoingOptions options)
    {
        if (!IsOn(options))
        {
            return null;
        }

        if ((options.RemoteAuthBearerToken ?? options.RemoteAuthBearerTokenFile) is null)
        {
            return OAuthFlags.ToPolicy(options, Store(options));
        }

        if (options.RemoteAuthBearerToken is { } token)
        {
            return FlagValue.Accepted(FlagNames.Outgoing, () => OutgoingPolicy.Bearer(token));
        }

        // The file's current content is checked like a token on the command line. The engine checks the content again each time it reads the file.
        const string fileFlag = "remote-auth-bearer-token-file";
        string file = FlagValue.SecretFile(fileFlag, options.RemoteAuthBearerTokenFile)!;
        string held = FlagValue.Secret(given: null, fileFlag, file)!;
        var names = new Dictionary<string, string> { ["token"] = $"--{fileFlag}: {file}" };
        FlagValue.Accepted(names, () => OutgoingPolicy.Bearer(held));
        return OutgoingPolicy.BearerFile(file);
    }

    /// <summary>Returns the policy for the verbs that sign in or out, whose credential is kept in a store.</summary>
    /// <exception cref="UsageException">
    /// A bearer token is given, so that there is nothing to sign in for; there is no store; or <see cref="ToPolicy"/> would throw too.
    /// </exception>
    public static OAuthPolicy ToSignIn(OutgoingOptions options)
    {
        RefuseNoStore(options);
        ForwardFlags.Check(options);
        return (options.RemoteAuthBearerToken ?? options.RemoteAuthBearerTokenFile) is null
            ? OAuthFlags.ToPolicy(options, Store(options))
            : throw new UsageException(
                "--remote-auth-bearer-token and --remote-auth-bearer-token-file give a token that is sent as it is, so there is nothing to sign in for; "
                + "leave them out");
    }

    /// <summary>Returns the store in which credentials are kept.</summary>
    /// <exception cref="UsageException">There is no store, or its key is not valid.</exception>
    public static CredentialStoreFile ToStore(StoreOptions options)
    {
        RefuseNoStore(options);
        return Store(options)!;
    }

    /// <summary>Returns the store in which credentials are kept; null if they are kept in memory only, or this user has no home folder.</summary>
    /// <exception cref="UsageException">The store's key is not valid.</exception>
    public static CredentialStoreFile? TryGetStore(StoreOptions options) => TryGetStorePath(options) is null ? null : Store(options);

    /// <summary>Returns the path of the store in which credentials are kept; null if they are kept in memory only, or this user has no home folder.</summary>
    public static string? TryGetStorePath(StoreOptions options) =>
        options.RemoteAuthStore is null && !Prerequisites.HasHome(CredentialStoreFile.DefaultPath) ? null : PathOf(options.RemoteAuthStore);

    /// <summary>Whether a flag turns the sign-in at the target on, or gives a token.</summary>
    public static bool IsOn(OutgoingOptions options)
    {
        string?[] switches =
        [
            options.RemoteAuthIssuer, options.RemoteAuthAuthorizeUrl, options.RemoteAuthTokenUrl, options.RemoteAuthClientId,
            options.RemoteAuthClientMetadataUrl, options.RemoteAuthBearerToken, options.RemoteAuthBearerTokenFile,
            options.RemoteAuthAssertionFile, options.RemoteAuthIdTokenFile,
        ];
        return options.RemoteAuth || switches.Any(given => given is not null);
    }

    /// <summary>Whether the proxy obtains tokens itself. It does not if it sends no token, or one that it was given.</summary>
    public static bool SignsIn(OutgoingOptions options) => IsOn(options) && (options.RemoteAuthBearerToken ?? options.RemoteAuthBearerTokenFile) is null;

    private static void RefuseNoStore(StoreOptions options)
    {
        if (options.RemoteAuthStore == NoStore)
        {
            throw new UsageException(
                "--remote-auth-store none keeps nothing after the command ends, so it cannot be used here; give a file, "
                + "or leave the flag out to use the store in the user's data folder");
        }
    }

    /// <returns>The store; null if credentials are kept in memory only.</returns>
    private static CredentialStoreFile? Store(StoreOptions options) => PathOf(options.RemoteAuthStore) is { } path
        ? FlagValue.Accepted(FlagNames.Outgoing, () => new CredentialStoreFile(path) { Key = Key })
        : null;

    private static string? PathOf(string? store) => store switch
    {
        null => Prerequisites.HomeOf(CredentialStoreFile.DefaultPath),
        NoStore => null,
        var path => Directory.Exists(path) ? Path.Combine(path, "credentials") : path,
    };
}
