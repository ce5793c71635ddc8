using McpProxyFast.Cli.Lines;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Cli.Verbs;

/// <summary>Describes a stored credential in one line, without secrets.</summary>
internal static class CredentialSummary
{
    public static string Of(StoredCredential credential)
    {
        string[] parts =
        [
            $"issuer {credential.Issuer}",
            credential.ClientId.Length > 0 ? $"client {credential.ClientId}" : "no client",
            credential.Scopes.Count > 0 ? $"scopes {string.Join(' ', credential.Scopes)}" : "no scopes",
            credential.ExpiresAt is { } end ? $"token until {end:u}" : "token without a known end",
            credential.IsRenewable ? "renewable" : "not renewable",
        ];
        string line = $"{credential.Target}: {string.Join(", ", parts)}";

        // Issuer, client and scopes come from a server. They must not be able to control the terminal.
        return PlainText.Of(line, LineWriter.MaxLineCharacters);
    }
}
