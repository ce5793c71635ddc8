using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>HAProxy with one thread: as an HTTP proxy, or in tcp mode as the raw relay.</summary>
internal sealed class HaproxySubject(bool isRawRelay) : PeerSubject("haproxy")
{
    public override string Name => isRawRelay ? "haproxy-tcp" : "haproxy-http";

    public override string Title => isRawRelay ? "Raw TCP relay (HAProxy)" : "HAProxy";

    public override string Settings => isRawRelay ? "Peers/haproxy-tcp.cfg" : "Peers/haproxy-http.cfg";

    public override string Version() => new Command(Program, ["-v"]).Output().Split('\n')[0].Split(" - ")[0];

    public override bool Supports(Scenario scenario) => scenario.Variant is not Variant.TokenExchanged && (!isRawRelay || scenario.Variant is Variant.Plain);

    public override Command CommandFor(Site site)
    {
        string file = isRawRelay
            ? Configure(site, "haproxy-tcp.cfg")
            : Configure(site, "haproxy-http.cfg", ("VARIANT", RulesOf(site)), ("SERVER_OPTIONS", ServerOptionsOf(site)));
        return new(Program, ["-db", "-f", file]);
    }

    private static string RulesOf(Site site) => site.Variant switch
    {
        Variant.TokenInjected => $"http-request set-header Authorization \"Bearer {site.Materials.InjectedToken}\"",
        Variant.FieldsAdded => string.Join(
            "\n    ", site.Materials.AddedFields.Select(field => $"http-request set-header {field.Name} \"{field.Value}\"")),
        Variant.JwtProtected =>
            $"http-request set-var(txn.token) http_auth_bearer\n"
            + $"    http-request return status 401 unless {{ var(txn.token),jwt_verify(\"RS256\",\"{site.Materials.PublicKeyFile}\") 1 }}",
        _ => string.Empty,
    };

    private static string ServerOptionsOf(Site site) => site.IsTls ? $"ssl verify required ca-file {site.Materials.CaFile}" : string.Empty;
}
