using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>From the flags that say how to sign in at the target to the engine's outgoing policy.</summary>
internal static class OutgoingFlags
{
    private const string NoStore = "none";

    // Given and empty is not "not given": the engine refuses it.
    private static string? Key => Environment.GetEnvironmentVariable(FlagNames.StoreKeyVariable);

    /// <returns>Null if none of the flags that turn signing in on is given.</returns>
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

        // What the file holds now is checked as the token itself would be; it may change later, and is checked again each time it is read.
        const string fileFlag = "remote-auth-bearer-token-file";
        string file = FlagValue.SecretFile(fileFlag, options.RemoteAuthBearerTokenFile)!;
        string held = FlagValue.Secret(given: null, fileFlag, file)!;
        var names = new Dictionary<string, string> { ["token"] = $"--{fileFlag}: {file}" };
        FlagValue.Accepted(names, () => OutgoingPolicy.Bearer(held));
        return OutgoingPolicy.BearerFile(file);
    }

    /// <summary>The policy of a sign-in that is asked for by its verb and whose result is kept.</summary>
    /// <exception cref="UsageException">There would be nothing to obtain or nowhere to keep it, or as with <see cref="ToPolicy"/>.</exception>
    public static OAuthPolicy ToSignIn(OutgoingOptions options)
    {
        RefuseNoStore(options);
        ForwardFlags.Check(options);
        return (options.RemoteAuthBearerToken ?? options.RemoteAuthBearerTokenFile) is null
            ? OAuthFlags.ToPolicy(options, Store(options))
            : throw new UsageException("--remote-auth-bearer-token and its file are sent as they are; there is nothing to sign in for");
    }

    /// <summary>Where credentials are kept.</summary>
    /// <exception cref="UsageException">There is no place to keep them, or their key is not valid.</exception>
    public static CredentialStoreFile ToStore(StoreOptions options)
    {
        RefuseNoStore(options);
        return Store(options)!;
    }

    /// <summary>Where credentials are kept; null if they are kept nowhere, or if this user has no folder for them.</summary>
    /// <exception cref="UsageException">The store's key is none.</exception>
    public static CredentialStoreFile? TryGetStore(StoreOptions options) => TryGetStorePath(options) is null ? null : Store(options);

    /// <summary>The path of that store.</summary>
    public static string? TryGetStorePath(StoreOptions options) =>
        options.RemoteAuthStore is null && !Prerequisites.HasHome(CredentialStoreFile.DefaultPath) ? null : PathOf(options.RemoteAuthStore);

    /// <summary>Whether the proxy has a credential of its own.</summary>
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

    /// <summary>Whether the proxy obtains tokens itself, rather than sending none or one that it is given.</summary>
    public static bool SignsIn(OutgoingOptions options) => IsOn(options) && (options.RemoteAuthBearerToken ?? options.RemoteAuthBearerTokenFile) is null;

    private static void RefuseNoStore(StoreOptions options)
    {
        if (options.RemoteAuthStore == NoStore)
        {
            throw new UsageException("--remote-auth-store none keeps nothing; name a file, or leave it out for the user's data folder");
        }
    }

    /// <returns>Null if they are kept in memory.</returns>
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
