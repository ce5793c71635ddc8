using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>Given and empty is not "not given": a script that passes <c>"$UNSET"</c> must not open a proxy.</summary>
public sealed class EmptyValueTests : IDisposable
{
    private static readonly string[] Least = ["name", "--target-uri", "http://localhost"];
    private static readonly string[] Guards = ["allowed-origins", "allowed-hosts", "oidc-audience", "oidc-required-scopes", "oidc-allowed-clients"];
    private static readonly FlagTable Table = FlagTable.Of(typeof(ProxyOptions));

    private readonly string _file = Path.GetTempFileName();

    /// <summary>Every flag that takes one value, and the lists that keep others out.</summary>
    public static TheoryData<string> Needed => [.. Table.All.Where(flag => !flag.IsRepeatable || Guards.Contains(flag.Name)).Select(flag => flag.Name)];

    public void Dispose() => File.Delete(_file);

    [Theory]
    [MemberData(nameof(Needed))]
    public void FlagWithNothingInItIsWrongUse(string flag) =>
        Assert.StartsWith($"--{flag} is given and empty; give ", Complaint([.. Least, $"--{flag}="]), StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(Needed))]
    public void VariableWithNothingInItIsWrongUse(string flag)
    {
        string variable = "MCPPROXYFAST_" + flag.ToUpperInvariant().Replace('-', '_');
        string[] least = flag == "target-uri" ? ["name"] : Least;

        Assert.StartsWith($"{variable} is given and empty for --{flag}; give ", Complaint(least, (variable, "")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\" \"")]
    [InlineData("[]")]
    [InlineData("[\"\"]")]
    public void LineOfTheFileWithNothingInItIsWrongUse(string value)
    {
        File.WriteAllText(_file, $"{{\n  \"debug\": true,\n  \"oidc-issuer\": {value}\n}}");

        string complaint = Complaint([.. Least, "--config", _file]);

        Assert.Equal($"{_file}, line 3 is given and empty for --oidc-issuer; give URL, or leave it out", complaint);
    }

    [Fact]
    public void VariableOfToolHiveWithNothingInItIsWrongUse() =>
        Assert.StartsWith("TOOLHIVE_OIDC_CLIENT_SECRET is given and empty", Complaint(Least, ("TOOLHIVE_OIDC_CLIENT_SECRET", "")), StringComparison.Ordinal);

    [Fact]
    public void NullInTheFileIsNotGiven()
    {
        File.WriteAllText(_file, """{ "oidc-issuer": null, "oidc-audience": null }""");

        Assert.Null(Policy([.. Least, "--config", _file]));
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("[]")]
    public void NameWithNothingInItIsWrongUse(string value)
    {
        File.WriteAllText(_file, $$"""{ "server-name": {{value}} }""");

        Assert.Contains("must give \"server-name\" as one name", Complaint([.. Least, "--config", _file]), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsGivenFirstHoldsEvenWhereALaterSourceIsEmpty() =>
        Assert.Equal("https://login.example.com", Policy([.. Least, "--oidc-issuer", "https://login.example.com"], ("MCPPROXYFAST_OIDC_ISSUER", ""))!.Issuer);

    [Fact]
    public void EmptyFlagIsNotFilledUpFromTheEnvironment() => Assert.StartsWith(
        "--oidc-issuer is given and empty",
        Complaint([.. Least, "--oidc-issuer="], ("MCPPROXYFAST_OIDC_ISSUER", "https://a")),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("--oidc-scopes=")]
    [InlineData("--config")]
    public void EmptyListIsAnEmptyList(string flag)
    {
        File.WriteAllText(_file, """{ "oidc-scopes": [] }""");
        string[] args = [.. Least, "--oidc-issuer", "https://login.example.com", flag];

        Assert.Empty(Policy(flag == "--config" ? [.. args, _file] : args)!.AdvertisedScopes);
    }

    [Fact]
    public void ListThatIsNotGivenHasItsDefault() =>
        Assert.Equal(["openid"], Policy([.. Least, "--oidc-issuer", "https://login.example.com"])!.AdvertisedScopes);

    [Theory]
    [InlineData("--oidc-audience", "me")]
    [InlineData("--oidc-allowed-clients", "me")]
    [InlineData("--oidc-client-id", "me")]
    [InlineData("--oidc-client-secret", "s3cret")]
    [InlineData("--oidc-scopes", "mcp")]
    [InlineData("--oidc-required-scopes", "mcp")]
    [InlineData("--oidc-clock-skew", "5s")]
    [InlineData("--resource-url", "https://mcp.example.com/mcp")]
    public void FlagOfAProtectionThatIsNotOnIsWrongUse(string flag, string value)
    {
        string complaint = Assert.Throws<UsageException>(() => Policy([.. Least, flag, value])).Message;

        Assert.StartsWith($"{flag} protects nothing without --oidc-issuer", complaint, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", complaint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MCPPROXYFAST_OIDC_CLIENT_SECRET")]
    [InlineData("TOOLHIVE_OIDC_CLIENT_SECRET")]
    public void SecretInTheEnvironmentAloneIsWrongUse(string variable) => Assert.StartsWith(
        $"{variable} protects nothing without --oidc-issuer",
        Assert.Throws<UsageException>(() => Policy(Least, (variable, "s3cret"))).Message,
        StringComparison.Ordinal);

    [Fact]
    public void AllowedClientsReachTheEngine() => Assert.Equal(
        ["a", "b,c"],
        Policy([.. Least, "--oidc-issuer", "https://a", "--oidc-allowed-clients", "a", "--oidc-allowed-clients", "b,c"])!.AllowedClients);

    private static string Complaint(string[] args, params (string Name, string Value)[] environment) =>
        Assert.Throws<UsageException>(() => Read(args, environment)).Message;

    private static JwtPolicy? Policy(string[] args, params (string Name, string Value)[] environment)
    {
        Settings settings = Read(args, environment);
        return (JwtPolicy?)IncomingFlags.ToPolicy(OptionsBinder.Bind<ProxyOptions>(settings), settings);
    }

    private static Settings Read(string[] args, (string Name, string Value)[] environment) =>
        Settings.Read(args, Table, name => Array.Find(environment, variable => variable.Name == name).Value);
}
