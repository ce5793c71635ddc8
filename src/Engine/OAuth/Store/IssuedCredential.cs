using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.OAuth.Store;

/// <summary>What one sign-in has led to, with everything that is needed to renew it without discovery.</summary>
internal sealed record IssuedCredential
{
    public required ServerMetadata Server { get; init; }

    public required ClientIdentity Client { get; init; }

    /// <summary>The resource indicator that goes with every token request, byte for byte.</summary>
    public string? Resource { get; init; }

    /// <summary>Where on the target's origin the resource lies that it was obtained for.</summary>
    public string? ResourcePath { get; init; }

    /// <summary>The scopes that were asked for, over all steps up.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    public required TokenSet Tokens { get; init; }

    /// <summary>
    /// Names the sign-in that this came from, also after renewals, by whatever process: two with one name are about the same person, or the same client. Null
    /// for what an earlier version has stored.
    /// </summary>
    public string? SignIn { get; init; }

    /// <summary>A name that no other sign-in has.</summary>
    public static string NewSignIn() => Guid.NewGuid().ToString("N");

    /// <summary>Says what this is about, without a secret.</summary>
    public override string ToString() => $"{Server.Issuer ?? Server.TokenEndpoint}, {Tokens}";
}
