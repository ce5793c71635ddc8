using System.Text;
using McpProxyFast.Credentials;
using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.Engine.Tests.Credentials;

/// <summary>Which token of a login is exchanged, and whether what was exchanged for the one before may still be sent.</summary>
public class ShownTokenTests
{
    [Fact]
    public void RenewedTokenLeavesTheOneBeforeInUse()
    {
        HeldCredential first = Held("alice-1");
        ShownToken shown = Shown(first, Held("alice-2").AsRenewalOf(first));

        Assert.Equal("alice-1", Encoding.ASCII.GetString(shown.Previous));
    }

    [Fact]
    public void AnotherSignInLeavesNothingOfTheOneBefore() => Assert.Empty(Shown(Held("alice"), Held("bob")).Previous);

    [Fact]
    public void RenewalOfATokenThatWasNeverShownLeavesNothingOfTheOneBefore() =>
        Assert.Empty(Shown(Held("alice"), Held("bob-2").AsRenewalOf(Held("bob-1"))).Previous);

    private static ShownToken Shown(params HeldCredential[] helds)
    {
        var shown = new ShownToken(null!, isIdToken: false); // only its current line is asked of the source
        foreach (HeldCredential held in helds)
        {
            shown.Of(CredentialLine.For($"Bearer {held.Tokens.AccessToken}", endsAt: null, held));
        }

        return shown;
    }

    private static HeldCredential Held(string token)
    {
        var issued = new IssuedCredential
        {
            Server = new ServerMetadata(),
            Client = new ClientIdentity { Id = "client", Method = ClientMethod.None },
            Scopes = [],
            Tokens = new TokenSet { AccessToken = token, TokenType = "Bearer", IssuedAt = DateTimeOffset.UnixEpoch },
        };
        return new HeldCredential(issued, key: null, generation: 0, order: 0, isFromStore: false);
    }
}
