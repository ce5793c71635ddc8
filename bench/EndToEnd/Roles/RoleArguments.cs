using System.Globalization;

namespace McpProxyFast.EndToEnd.Roles;

/// <summary>What a role that is a subject is told: where to listen, where to forward, and what else to do.</summary>
internal sealed record RoleArguments(int Port, string UpstreamUrl, string? CaFile, string? InjectedToken, string? Issuer)
{
    public static RoleArguments Read(ReadOnlySpan<string> arguments) => new(
        int.Parse(arguments[0], CultureInfo.InvariantCulture),
        arguments[1],
        OrNull(arguments[2]),
        OrNull(arguments[3]),
        OrNull(arguments[4]));

    private static string? OrNull(string argument) => argument.Length == 0 ? null : argument;
}
