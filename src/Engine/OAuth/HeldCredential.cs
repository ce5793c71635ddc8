using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.OAuth;

/// <summary>A credential that this process uses: the tokens, the key that they are bound to, and the generation of the store's entry. Immutable.</summary>
/// <param name="issued">The issued tokens, with the data that is needed to renew them.</param>
/// <param name="key">The DPoP key that the token is bound to; null if it is bound to none.</param>
/// <param name="generation">The generation of the store's entry (<see cref="StoredEntry.Generation"/>) when the credential was read or written.</param>
/// <param name="order">
/// The order number, which is higher for each further credential in this process. The credential with the highest number is the current one; no times are
/// compared.
/// </param>
/// <param name="isFromStore">Whether it was read from the store. Then its access token may have expired long ago.</param>
internal sealed class HeldCredential(IssuedCredential issued, DPoPKey? key, long generation, long order, bool isFromStore)
{
    public IssuedCredential Issued => issued;

    public TokenSet Tokens => issued.Tokens;

    public DPoPKey? Key => key;

    public long Generation => generation;

    public long Order => order;

    public bool IsFromStore => isFromStore;

    /// <summary>Whether the other credential has the same access token.</summary>
    public bool Is(HeldCredential? other) => other?.Tokens.AccessToken == Tokens.AccessToken;

    public bool HasEndedAt(DateTimeOffset now) => Tokens.ExpiresAt <= now;

    /// <summary>Returns the same credential without its refresh token, which no longer works.</summary>
    public HeldCredential WithoutRefreshToken() =>
        new(issued with { Tokens = issued.Tokens with { RefreshToken = null } }, key, generation, order, isFromStore);

    /// <summary>A description for logs, without a secret.</summary>
    public override string ToString() => issued.ToString();
}
