using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>The project's command line, framework-dependent or native AOT.</summary>
internal sealed class McpProxyFastSubject : Subject
{
    private readonly string _file;
    private readonly bool _isNative;

    private McpProxyFastSubject(string name, string title, string file, bool isNative)
    {
        Name = name;
        Title = title;
        _file = file;
        _isNative = isNative;
    }

    public override string Name { get; }

    public override string Title { get; }

    public static McpProxyFastSubject FrameworkDependent() => new(
        "mcpproxyfast", "McpProxyFast", Path.Combine(Repository.Root, "src/Cli/bin/Release/net10.0/mcpproxyfast.dll"), isNative: false);

    public static McpProxyFastSubject Native() => new(
        "mcpproxyfast-aot", "McpProxyFast (AOT)", Repository.FindNative() ?? string.Empty, isNative: true);

    /// <summary>Another build, to be compared with.</summary>
    public static McpProxyFastSubject Before(string file) => new(
        "before", "McpProxyFast (before)", file, isNative: !file.EndsWith(".dll", StringComparison.OrdinalIgnoreCase));

    public override string? WhyLeftOut()
    {
        if (File.Exists(_file))
        {
            return null;
        }

        return Name == "before" ? $"{_file} is not there" : _isNative ? "not built: .ci/publish-native" : "not built: dotnet build -c Release src/Cli";
    }

    public override string Version() => Start("--version").Output();

    public override Command CommandFor(Site site) =>
        Start(["proxy", "bench", "--target-uri", site.UpstreamUrl, "--port", $"{site.Port}", .. FlagsOf(site)]) with { Variables = SecretsOf(site) };

    private static string[] FlagsOf(Site site) => site.Variant switch
    {
        Variant.JwtProtected => ["--oidc-issuer", site.Materials.Issuer, "--oidc-audience", Materials.Audience, "--oidc-jwks-url", site.Materials.KeySetUrl],
        Variant.TlsUpstream => ["--ca-file", site.Materials.CaFile],
        _ => [],
    };

    // In the environment and not as a flag, as everybody should.
    private static Dictionary<string, string> SecretsOf(Site site) => site.Variant is Variant.TokenInjected
        ? new() { ["MCPPROXYFAST_REMOTE_AUTH_BEARER_TOKEN"] = site.Materials.InjectedToken }
        : [];

    private Command Start(params string[] arguments) => _isNative ? new(_file, arguments) : new("dotnet", [_file, .. arguments]);
}
