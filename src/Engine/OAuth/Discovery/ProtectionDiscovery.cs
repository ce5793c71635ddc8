using McpProxyFast.OAuth.Net;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>
/// Finds the authorization server that protects the upstream: the one that the operator has named, or else the one that the upstream names, or else the
/// upstream's own origin (MCP 2025-03-26).
/// </summary>
internal sealed class ProtectionDiscovery(OAuthPolicy policy, OAuthHttp http, TimeProvider clock, ILogger logger)
{
    /// <summary>If a resource lists more authorization servers than this, only the first ones are tried.</summary>
    public const int MaxServers = 8;

    /// <summary>The longest time for all requests of one discovery together. After that the discovery fails, and a later request tries again.</summary>
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(40);

    private bool ServerIsGiven => policy.Server.IsGiven;

    /// <param name="resource">The URL that is protected.</param>
    /// <param name="challenge">The challenge in the resource's answer; null if there is none.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="OAuthException">No server was found. The message says which URLs were tried.</exception>
    public async Task<Protection> FindAsync(Uri resource, Challenge? challenge, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(MaxTime, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        var log = new DiscoveryLog(logger);
        try
        {
            return await FindWithinAsync(resource, challenge, log, linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException failure) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw OAuthException.Transient(
                "discovery-too-slow",
                $"Discovery did not find the upstream's authorization server within {MaxTime.TotalSeconds:0} s. Tried: {log}. A later request tries again. "
                + "If this goes on, name the authorization server (OAuthPolicy.Server).",
                failure);
        }
    }

    private async Task<Protection> FindWithinAsync(Uri resource, Challenge? challenge, DiscoveryLog log, CancellationToken cancellationToken)
    {
        ResourceMetadata? published = await FindResourceAsync(resource, challenge, log, cancellationToken).ConfigureAwait(false);
        ServerMetadata server = ServerIsGiven
            ? await FindGivenAsync(log, cancellationToken).ConfigureAwait(false)
            : await FindNamedAsync(resource, published, challenge, log, cancellationToken).ConfigureAwait(false);

        // If the operator has named the server and the resource publishes no metadata, the token is for the target's whole origin.
        string path = published is not null ? new Uri(published.Resource!).AbsolutePath : ServerIsGiven ? "/" : resource.AbsolutePath;
        string? indicator = policy.Resource is OAuthPolicy.NoResource ? null : policy.Resource ?? published?.Resource;
        return new Protection(server, ServerIsGiven, indicator, path, published?.ScopesSupported ?? []) { FoundBy = log.ToString() };
    }

    /// <summary>Whether the resource publishes metadata. Called if it did not ask for a token.</summary>
    public async Task<bool> IsPublishedAsync(Uri resource, CancellationToken cancellationToken)
    {
        try
        {
            var log = new DiscoveryLog(logger);
            return await ResourceDiscovery.FindAsync(http, resource, challenge: null, log, cancellationToken).ConfigureAwait(false) is not null;
        }
        catch (OAuthException failure) when (failure.Failure is OAuthFailure.Transient)
        {
            return false; // the metadata cannot be read now; it is read if the resource asks for a token later
        }
    }

    private async Task<ResourceMetadata?> FindResourceAsync(Uri resource, Challenge? challenge, DiscoveryLog log, CancellationToken cancellationToken)
    {
        bool isOnlyForScopes = ServerIsGiven && policy.Resource is not null;
        try
        {
            return await ResourceDiscovery.FindAsync(http, resource, challenge, log, cancellationToken).ConfigureAwait(false);
        }
        catch (OAuthException failure) when (ServerIsGiven && (isOnlyForScopes || failure.Failure is OAuthFailure.Transient))
        {
            // The operator has named the server, so discovery can continue without the resource's metadata.
            log.Add("Resource metadata", failure);
            return null;
        }
    }

    private async Task<ServerMetadata> FindGivenAsync(DiscoveryLog log, CancellationToken cancellationToken)
    {
        if (policy.Server.TokenUrl is { } tokenUrl)
        {
            return new ServerMetadata
            {
                AuthorizationEndpoint = policy.Server.AuthorizeUrl?.OriginalString,
                TokenEndpoint = tokenUrl.OriginalString,
                IsAssumed = true,
            };
        }

        return await ServerDiscovery.FindAsync(http, policy.Server.Issuer!, log, cancellationToken).ConfigureAwait(false)
            ?? throw log.NothingFound(
                "issuer-without-metadata",
                $"The issuer {policy.Server.Issuer} publishes no usable metadata (OpenID Connect Discovery, RFC 8414).",
                "Check the issuer's URL (OAuthPolicy.Server), or set its endpoints and a client id by hand.");
    }

    private async Task<ServerMetadata> FindNamedAsync(
        Uri resource, ResourceMetadata? published, Challenge? challenge, DiscoveryLog log, CancellationToken cancellationToken)
    {
        List<string> issuers = [.. published?.AuthorizationServers ?? []];
        if (issuers.Count == 0 && challenge?.Realm is { } realm && Uri.TryCreate(realm, UriKind.Absolute, out Uri? url) && UrlRule.IsSecure(url))
        {
            issuers.Add(realm);
        }

        if (issuers.Count > MaxServers)
        {
            log.Add($"Of the {issuers.Count} authorization servers that the upstream names, only {MaxServers} are tried");
        }

        foreach (string issuer in issuers.Take(MaxServers))
        {
            if (await ServerDiscovery.FindAsync(http, issuer, log, cancellationToken).ConfigureAwait(false) is { } found)
            {
                return found;
            }

            if (log.SawTransient)
            {
                break; // the server may work again soon, so no person is asked to sign in at another server now
            }
        }

        return issuers.Count == 0
            ? await FindAtOriginAsync(resource, log, cancellationToken).ConfigureAwait(false)
            : throw log.NothingFound(
                "no-authorization-server",
                "None of the authorization servers that the upstream names can be used.",
                "If one of these servers is right, name it yourself: by its issuer (OAuthPolicy.Server), or by its endpoints and a client id.");
    }

    // MCP 2025-03-26: the MCP server's origin is its own authorization server. If it publishes no metadata, it has default endpoints. These are assumed only if
    // every request was answered with "not found": otherwise there may be metadata that cannot be read now and names other endpoints.
    private async Task<ServerMetadata> FindAtOriginAsync(Uri resource, DiscoveryLog log, CancellationToken cancellationToken)
    {
        string origin = WellKnown.Origin(resource);
        foreach (string issuer in new[] { origin + resource.AbsolutePath.TrimEnd('/'), origin }.Distinct())
        {
            if (await ServerDiscovery.FindAsync(http, issuer, log, cancellationToken).ConfigureAwait(false) is { } found)
            {
                return found;
            }
        }

        return !log.FoundServer && !log.SawTransient
            ? new ServerMetadata
            {
                AuthorizationEndpoint = $"{origin}/authorize",
                TokenEndpoint = $"{origin}/token",
                RegistrationEndpoint = $"{origin}/register",
                IsAssumed = true,
            }
            : throw log.NothingFound(
                "no-authorization-server",
                "The upstream does not name an authorization server, and its own origin does not answer as one.",
                "Name the authorization server yourself: by its issuer (OAuthPolicy.Server), or by its endpoints and a client id."
                + (log.SawTransient ? " A later request tries again." : ""));
    }
}
