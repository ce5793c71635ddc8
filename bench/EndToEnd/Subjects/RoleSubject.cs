using System.Diagnostics;
using System.Reflection;
using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>A subject that is a role of this program: a proxy made of libraries.</summary>
internal sealed class RoleSubject(string role, string title, Assembly library, params Variant[] variants) : Subject
{
    private readonly string _role = role;

    public override string Name => Suffix.Length == 0 ? _role : $"{_role}-{Suffix}";

    public override string Title => title;

    /// <summary>What tells two subjects apart that are the same role.</summary>
    public string Suffix { get; init; } = string.Empty;

    public IReadOnlyDictionary<string, string> Levers { get; init; } = RuntimeLevers.Shared;

    public override string Settings => RuntimeLevers.Describe(Levers);

    public override string Version()
    {
        string? version = FileVersionInfo.GetVersionInfo(library.Location).ProductVersion;
        return $"{library.GetName().Name} {version?.Split('+')[0]}, .NET {Environment.Version}";
    }

    public override bool Supports(Scenario scenario) => variants.Contains(scenario.Variant);

    public override Command CommandFor(Site site) => Command.Role(
        _role,
        $"{site.Port}",
        site.UpstreamUrl,
        site.IsTls ? site.Materials.CaFile : string.Empty,
        site.Variant is Variant.TokenInjected ? site.Materials.InjectedToken : string.Empty,
        site.Variant is Variant.JwtProtected ? site.Materials.Issuer : string.Empty) with
    {
        Variables = Levers,
    };
}
