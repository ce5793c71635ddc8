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
    public void RenewedTokenLeavesTheOneBeforeInUse() => Assert.Equal("alice-1", BeforeTheLast(Held("alice-1", "a"), Held("alice-2", "a")));

    [Fact]
    public void OneThatWasRenewedSeveralTimesBetweenTwoLooksLeavesTheOneBeforeInUse() =>
        Assert.Equal("alice-1", BeforeTheLast(Held("alice-1", "a"), Held("alice-4", "a")));

    [Fact]
    public void AnotherSignInLeavesNothingOfTheOneBefore() => Assert.Empty(BeforeTheLast(Held("alice", "a"), Held("bob", "b")));

    [Fact]
    public void RenewalOfATokenThatWasNeverShownLeavesNothingOfTheOneBefore() =>
        Assert.Empty(BeforeTheLast(Held("alice", "a"), Held("bob-2", "b")));

    [Fact]
    public void CredentialsWhoseSignInIsNotKnownLeaveNothingOfEachOther() => Assert.Empty(BeforeTheLast(Held("alice", null), Held("bob", null)));

    private static string BeforeTheLast(params HeldCredential[] helds)
    {
        var shown = new ShownToken(null!, isIdToken: false); // only its current line is asked of the source
        byte[] before = [];
        foreach (HeldCredential held in helds)
        {
            before = shown.BeforeOf(CredentialLine.For($"Bearer {held.Tokens.AccessToken}", endsAt: null, held));
        }

        return Encoding.ASCII.GetString(before);
    }

    private static HeldCredential Held(string token, string? signIn)
    {
        var issued = new IssuedCredential
        {
            Server = new ServerMetadata(),
            Client = new ClientIdentity { Id = "client", Method = ClientMethod.None },
            Scopes = [],
            SignIn = signIn,
            Tokens = new TokenSet { AccessToken = token, TokenType = "Bearer", IssuedAt = DateTimeOffset.UnixEpoch },
        };
        return new HeldCredential(issued, key: null, generation: 0, order: 0, isFromStore: false);
    }
}
