using System.Security.Cryptography.X509Certificates;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Verbs;

/// <summary><c>mcpproxyfast login</c>: signs in at a target and stores the credential, before a proxy needs it.</summary>
internal static class LoginVerb
{
    public static Task<int> RunAsync(LoginOptions options, Settings settings)
    {
        Prerequisites.CheckStore();
        OAuthPolicy policy = OutgoingFlags.ToSignIn(options);
        Uri target = ProxyFlags.Target(options.TargetUri);
        X509Certificate2Collection? trusted = ProxyFlags.Certificates(options.CaFile);
        return StoreVerb.RunAsync(options, settings, async (logger, stopping) =>
        {
            StoredCredential? obtained = await StoredCredentials.LoginAsync(policy, target, logger, trusted, stopping);
            return obtained is null
                ? $"mcpproxyfast: {target.GetLeftPart(UriPartial.Path)} asks for no credential; there is nothing to store"
                : $"mcpproxyfast: signed in at {CredentialSummary.Of(obtained)}";
        });
    }
}
