using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.OAuth;

/// <summary>A credential as it is used: a token, the key that it is bound to, and where both stand in the store. They are replaced together.</summary>
/// <param name="issued">What was issued.</param>
/// <param name="key">The key to which the token is bound; null if it is bound to none.</param>
/// <param name="generation">The generation that the store's entry had.</param>
/// <param name="order">Later ones of this process have a higher number: by it, not by a clock, is known which one counts.</param>
/// <param name="isFromStore">It was found in the store, so it may be long dead.</param>
internal sealed class HeldCredential(IssuedCredential issued, DPoPKey? key, long generation, long order, bool isFromStore)
{
    public IssuedCredential Issued => issued;

    public TokenSet Tokens => issued.Tokens;

    public DPoPKey? Key => key;

    public long Generation => generation;

    public long Order => order;

    public bool IsFromStore => isFromStore;

    /// <summary>Whether both carry the same token.</summary>
    public bool Is(HeldCredential? other) => other?.Tokens.AccessToken == Tokens.AccessToken;

    public bool HasEndedAt(DateTimeOffset now) => Tokens.ExpiresAt <= now;

    /// <summary>The same token without its refresh token, which no longer works.</summary>
    public HeldCredential WithoutRefreshToken() =>
        new(issued with { Tokens = issued.Tokens with { RefreshToken = null } }, key, generation, order, isFromStore);

    /// <summary>Says what this is about, without a secret.</summary>
    public override string ToString() => issued.ToString();
}
