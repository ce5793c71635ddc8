using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>nginx with one worker. Checking JWTs is not in its free edition.</summary>
internal sealed class NginxSubject() : PeerSubject("nginx")
{
    public override string Name => "nginx";

    public override string Title => "nginx";

    public override string Settings => "Peers/nginx.conf";

    public override string Version() => new Command(Program, ["-v"]).Output().Replace("nginx version: ", string.Empty, StringComparison.Ordinal);

    public override bool Supports(Scenario scenario) => scenario.Variant is not (Variant.JwtProtected or Variant.TokenExchanged);

    public override Command CommandFor(Site site)
    {
        string file = Configure(
            site,
            "nginx.conf",
            ("SCHEME", site.IsTls ? "https" : "http"),
            ("VARIANT", DirectivesOf(site)));
        return new(Program, ["-p", site.Directory, "-c", file, "-e", "stderr"]);
    }

    private static string DirectivesOf(Site site) => site.Variant switch
    {
        Variant.TokenInjected => $"proxy_set_header Authorization \"Bearer {site.Materials.InjectedToken}\";",
        Variant.FieldsAdded => string.Join(' ', site.Materials.AddedFields.Select(field => $"proxy_set_header {field.Name} \"{field.Value}\";")),
        Variant.TlsUpstream => $"proxy_ssl_trusted_certificate {site.Materials.CaFile}; proxy_ssl_verify on; proxy_ssl_name localhost;",
        _ => string.Empty,
    };
}
