using McpProxyFast.Cli.Flags;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Verbs;

/// <summary>The warnings that every verb gives about how a secret was passed.</summary>
internal static class Secrets
{
    public static void Warn(Settings settings, ILogger logger)
    {
        foreach (string name in settings.SecretsOnCommandLine())
        {
            logger.SecretOnCommandLine(name);
        }

        foreach ((string secret, string file) in settings.FilesNotRead)
        {
            logger.SecretFileNotRead(file, secret);
        }
    }
}
