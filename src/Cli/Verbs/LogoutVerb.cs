using System.Security.Cryptography.X509Certificates;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Verbs;

/// <summary><c>mcpproxyfast logout</c>: deletes the credential that <c>login</c> or the proxy has stored for a target.</summary>
internal static class LogoutVerb
{
    public static Task<int> RunAsync(LogoutOptions options, Settings settings)
    {
        Prerequisites.CheckStore();
        OAuthPolicy policy = OutgoingFlags.ToSignIn(options);
        Uri target = ProxyFlags.Target(options.TargetUri);
        X509Certificate2Collection? trusted = ProxyFlags.Certificates(options.CaFile);
        string name = target.GetLeftPart(UriPartial.Path);
        return StoreVerb.RunAsync(options, settings, async (logger, stopping) =>
            await StoredCredentials.LogoutAsync(policy, target, logger, trusted, stopping)
                ? $"mcpproxyfast: signed out of {name}"
                : $"mcpproxyfast: no credential is stored for {name} with these flags");
    }
}
