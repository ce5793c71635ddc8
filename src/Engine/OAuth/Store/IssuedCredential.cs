using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.OAuth.Store;

/// <summary>The tokens that one sign-in has issued, with everything that is needed to renew them without discovery.</summary>
internal sealed record IssuedCredential
{
    public required ServerMetadata Server { get; init; }

    public required ClientIdentity Client { get; init; }

    /// <summary>The resource indicator that is sent with every token request, byte for byte as it was found; null if none is sent.</summary>
    public string? Resource { get; init; }

    /// <summary>The path, on the target's origin, of the resource that the tokens are for. Null for credentials that an earlier version has stored.</summary>
    public string? ResourcePath { get; init; }

    /// <summary>The scopes that were asked for, including those of all step-ups.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    public required TokenSet Tokens { get; init; }

    /// <summary>
    /// Identifies the sign-in that the tokens come from. It stays the same when a process renews them. So credentials with the same value are for the same
    /// person or client. Null for credentials that an earlier version has stored.
    /// </summary>
    public string? SignIn { get; init; }

    /// <summary>Makes a new identifier of a sign-in.</summary>
    public static string NewSignIn() => Guid.NewGuid().ToString("N");

    /// <summary>A description for logs, without a secret.</summary>
    public override string ToString() => $"{Server.Issuer ?? Server.TokenEndpoint}, {Tokens}";
}
