using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>
/// Maps the flags for token exchange to the engine's policy. If the exchange uses the token of the outgoing sign-in, that policy contains the policy of the
/// sign-in.
/// </summary>
internal static class ExchangeFlags
{
    private const string Prefix = "token-exchange-";
    private const string Rfc8693 = "rfc8693";
    private const string EntraOnBehalfOf = "entra-obo";
    private const string JwtBearer = "jwt-bearer";
    private const string Auto = "auto";
    private const string Caller = "caller";
    private const string Outgoing = "outgoing";
    private const string None = "none";

    /// <summary>The flags, without their prefix, that only the variant <c>rfc8693</c> uses.</summary>
    private static readonly string[] OfExchange =
        ["subject-token-type", "requested-token-type", "actor", "actor-token-file", "actor-token-type", "grant-type"];

    /// <summary>Returns the complete outgoing policy: that of the token exchange if there is one, otherwise that of the sign-in.</summary>
    /// <param name="login">The policy of the outgoing sign-in; null if there is none.</param>
    /// <param name="options">The flags.</param>
    /// <param name="settings">The settings that the options were read from.</param>
    /// <exception cref="UsageException">The flags contradict each other, or have no effect without <c>--token-exchange-url</c>.</exception>
    public static OutgoingPolicy? Around(OutgoingPolicy? login, ExchangeOptions options, Settings settings)
    {
        if (FlagValue.Url("token-exchange-url", options.TokenExchangeUrl) is not { } url)
        {
            RefuseIdle(settings);
            return login;
        }

        RefuseUnknown(options);
        bool isOfLogin = options.TokenExchangeSubject == Outgoing || (options.TokenExchangeSubject == Auto && login is not null);
        Refuse(login, isOfLogin, options, settings);
        (string? secret, string? key) = (
            FlagValue.Secret(options.TokenExchangeClientSecret, "token-exchange-client-secret-file", options.TokenExchangeClientSecretFile),
            FlagValue.KeyFile("token-exchange-client-key-file", options.TokenExchangeClientKeyFile));
        RefuseClient(options, secret, key);
        return FlagValue.Accepted(FlagNames.Exchange, () =>
        {
            var policy = new TokenExchangePolicy(url)
            {
                Subject = isOfLogin ? TokenExchangeSubject.Of(login!) : TokenExchangeSubject.Caller,
                Variant = Variant(options, login) with { Scopes = [.. options.TokenExchangeScopes] },
                Client = Client(options, secret, key),
                Parameters = [.. options.TokenExchangeParam.Select(Parameter)],
                FieldName = options.TokenExchangeHeaderName,
            };
            policy.Validate();
            return policy;
        });
    }

    /// <summary>Whether a token exchange is on that does not use the outgoing sign-in. Then a sign-in has no effect.</summary>
    public static bool LeavesLoginIdle(ExchangeOptions options) =>
        options.TokenExchangeUrl is not null && options.TokenExchangeSubject == Caller && options.TokenExchangeActor == None;

    /// <summary>
    /// Refuses flags for token exchange if <c>--token-exchange-url</c> is missing, since they would have no effect. Environment variables of <c>thv</c> are not
    /// refused.
    /// </summary>
    private static void RefuseIdle(Settings settings)
    {
        Flag? idle = settings.Table.All.FirstOrDefault(flag => flag.Name.StartsWith(Prefix, StringComparison.Ordinal)
            && settings.Changes(flag) && settings.Given[flag.Name].Source is not SettingSource.ToolHiveEnvironment);
        if (idle is not null)
        {
            throw new UsageException($"{settings.Given[idle.Name].Origin} has no effect without --token-exchange-url: no token is exchanged");
        }
    }

    private static void RefuseUnknown(ExchangeOptions options)
    {
        OneOf("variant", options.TokenExchangeVariant, Rfc8693, EntraOnBehalfOf, JwtBearer);
        OneOf("subject", options.TokenExchangeSubject, Auto, Caller, Outgoing);
        OneOf("actor", options.TokenExchangeActor, None, Outgoing);
        OneOf("client-auth", options.TokenExchangeClientAuth, Auto, None, "basic", "post", "private_key_jwt");
    }

    private static void OneOf(string flag, string value, params string[] known)
    {
        if (!known.Contains(value))
        {
            throw new UsageException($"--{Prefix}{flag} must be {string.Join(", ", known[..^1])} or {known[^1]}, not '{value}'");
        }
    }

    /// <summary>Refuses combinations that can be written with flags but not with the engine's types.</summary>
    private static void Refuse(OutgoingPolicy? login, bool isOfLogin, ExchangeOptions options, Settings settings)
    {
        string variant = options.TokenExchangeVariant;
        string? foreign = variant == Rfc8693 ? null : OfExchange.FirstOrDefault(name => IsGiven(settings, Prefix + name));
        bool isEntra = variant == EntraOnBehalfOf;
        bool actsAsLogin = options.TokenExchangeActor == Outgoing;
        FlagValue.Refuse(
            (foreign is not null, Prefix + foreign, $"it works only with --token-exchange-variant {Rfc8693}; leave it out"),
            (isEntra && options.TokenExchangeAudience.Any(), "token-exchange-audience",
                $"with --token-exchange-variant {EntraOnBehalfOf} leave it out: the scope names the audience"),
            (isEntra && options.TokenExchangeResource.Any(), "token-exchange-resource",
                $"with --token-exchange-variant {EntraOnBehalfOf} leave it out: the scope names the resource"),
            (isEntra && !options.TokenExchangeScopes.Any(), "token-exchange-scopes",
                $"--token-exchange-variant {EntraOnBehalfOf} needs a scope, such as api://ID/.default"),
            (isOfLogin && login is null, "token-exchange-subject",
                "there is no sign-in at the target whose token could be exchanged; add --remote-auth, or --remote-auth-bearer-token-file"),
            (actsAsLogin && login is null, "token-exchange-actor",
                "there is no sign-in at the target whose token could act; add --remote-auth, or --remote-auth-bearer-token-file"),
            (actsAsLogin && isOfLogin, "token-exchange-actor",
                "the token of the sign-in at the target cannot be exchanged and act too; add --token-exchange-subject caller to exchange the caller's"),
            (actsAsLogin && options.TokenExchangeActorTokenFile is not null, "token-exchange-actor-token-file",
                "only one actor token can be sent; leave out this flag or --token-exchange-actor"));
    }

    /// <summary>
    /// Whether a user has set the flag. A default in the config file does not count, since a file that <c>--check</c> has printed has all defaults.
    /// </summary>
    private static bool IsGiven(Settings settings, string name) => settings.Given.TryGetValue(name, out Setting? given)
        && (given.Source is not SettingSource.ConfigFile || settings.Changes(settings.Table.Find(name)));

    private static void RefuseClient(ExchangeOptions options, string? secret, string? key)
    {
        string method = options.TokenExchangeClientAuth;
        FlagValue.Refuse(
            (options.TokenExchangeClientId is null && (secret ?? key) is not null, "token-exchange-client-id",
                "it must be given, since a client secret or key is given"),
            (secret is not null && key is not null, "token-exchange-client-key-file", "a client secret is given too; give only one of the two"),
            (method is "basic" or "post" && secret is null, "token-exchange-client-auth",
                $"the method {method} needs --token-exchange-client-id and a client secret"),
            (method is "private_key_jwt" && key is null, "token-exchange-client-auth",
                $"the method {method} needs --token-exchange-client-id and --token-exchange-client-key-file"),
            (method is None && (secret ?? key) is not null, "token-exchange-client-auth", "the method none sends no secret and no key; leave those out"),
            (method is "basic" or "post" && key is not null, "token-exchange-client-auth",
                $"the method {method} uses no key; leave out --token-exchange-client-key-file"));
    }

    private static TokenExchangeVariant Variant(ExchangeOptions options, OutgoingPolicy? login) => options.TokenExchangeVariant switch
    {
        EntraOnBehalfOf => new TokenExchangeVariant.EntraOnBehalfOf(),
        JwtBearer => new TokenExchangeVariant.JwtBearer { Audiences = [.. options.TokenExchangeAudience], Resources = [.. options.TokenExchangeResource] },
        _ => new TokenExchangeVariant.Rfc8693
        {
            GrantType = options.TokenExchangeGrantType,
            SubjectTokenType = TokenType("subject-token-type", options.TokenExchangeSubjectTokenType),
            RequestedTokenType = options.TokenExchangeRequestedTokenType is { } type ? TokenType("requested-token-type", type) : null,
            Audiences = [.. options.TokenExchangeAudience],
            Resources = [.. options.TokenExchangeResource],
            Actor = Actor(options, login),
        },
    };

    private static TokenExchangeActor? Actor(ExchangeOptions options, OutgoingPolicy? login)
    {
        ExchangedTokenType type = TokenType("actor-token-type", options.TokenExchangeActorTokenType);
        TokenExchangeActor? actor = options.TokenExchangeActor == Outgoing ? TokenExchangeActor.Of(login!)
            : FlagValue.SecretFile("token-exchange-actor-token-file", options.TokenExchangeActorTokenFile) is { } file ? TokenExchangeActor.File(file)
            : null;
        return actor is null ? null : actor with { TokenType = type };
    }

    private static TokenExchangeClient? Client(ExchangeOptions options, string? secret, string? key) =>
        options.TokenExchangeClientId is not { } id ? null
        : key is not null ? TokenExchangeClient.Key(id, key)
        : secret is null ? TokenExchangeClient.Public(id)
        : options.TokenExchangeClientAuth == "post" ? TokenExchangeClient.Post(id, secret)
        : TokenExchangeClient.Basic(id, secret);

    private static ExchangedTokenType TokenType(string flag, string value) => value switch
    {
        "access_token" => ExchangedTokenType.AccessToken,
        "id_token" => ExchangedTokenType.IdToken,
        "jwt" => ExchangedTokenType.Jwt,
        _ when value.StartsWith("urn:", StringComparison.OrdinalIgnoreCase) || value.Contains("://", StringComparison.Ordinal) =>
            ExchangedTokenType.Named(value),
        _ => throw new UsageException($"--{Prefix}{flag} must be access_token, id_token, jwt or an absolute URI, not '{value}'"),
    };

    private static KeyValuePair<string, string> Parameter(string given)
    {
        int end = given.IndexOf('=', StringComparison.Ordinal);
        return end > 0
            ? new(given[..end], given[(end + 1)..])
            : throw new UsageException("--token-exchange-param must be written NAME=VALUE, such as options={}");
    }
}
