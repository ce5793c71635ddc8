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
        "mcpproxyfast-aot", "McpProxyFast (AOT)", Repository.NativeFile, isNative: true);

    /// <summary>Another build, to be compared with under a name of its own.</summary>
    public static McpProxyFastSubject Build(string name, string file) => new(
        name, $"McpProxyFast ({name})", file, isNative: !file.EndsWith(".dll", StringComparison.OrdinalIgnoreCase))
    {
        IsOtherBuild = true,
    };

    public override string Settings => _isNative ? "native file" : RuntimeLevers.Describe(RuntimeLevers.Shared);

    private bool IsOtherBuild { get; init; }

    public override string? WhyLeftOut()
    {
        if (File.Exists(_file))
        {
            return null;
        }

        return IsOtherBuild ? $"{_file} is not there" : _isNative ? "not built: .ci/publish-native" : "not built: dotnet build -c Release src/Cli";
    }

    public override string Version() => Start("--version").Output();

    public override Command CommandFor(Site site) =>
        Start(["proxy", "bench", "--target-uri", site.UpstreamUrl, "--port", $"{site.Port}", .. FlagsOf(site)]) with
        {
            Variables = SecretsOf(site).Concat(_isNative ? [] : RuntimeLevers.Shared).ToDictionary(),
        };

    private static string[] FlagsOf(Site site) => site.Variant switch
    {
        Variant.JwtProtected => ["--oidc-issuer", site.Materials.Issuer, "--oidc-audience", Materials.Audience, "--oidc-jwks-url", site.Materials.KeySetUrl],
        Variant.TokenExchanged => ["--token-exchange-url", $"{site.Materials.Issuer}/token", "--token-exchange-audience", Materials.Audience],
        Variant.TlsUpstream => ["--ca-file", site.Materials.CaFile],
        _ => [],
    };

    // In the environment and not as a flag, as everybody should.
    private static Dictionary<string, string> SecretsOf(Site site) => site.Variant switch
    {
        Variant.TokenInjected => new() { ["MCPPROXYFAST_REMOTE_AUTH_BEARER_TOKEN"] = site.Materials.InjectedToken },
        Variant.FieldsAdded => new()
        {
            ["MCPPROXYFAST_REMOTE_FORWARD_HEADERS"] = string.Join('\n', site.Materials.AddedFields.Select(field => $"{field.Name}={field.Value}")),
        },
        _ => [],
    };

    private Command Start(params string[] arguments) => _isNative ? new(_file, arguments) : new("dotnet", [_file, .. arguments]);
}
