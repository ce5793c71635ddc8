using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Mapping;
using McpProxyFast.Cli.Options;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>Given and empty is not "not given": a script that passes <c>"$UNSET"</c> must not open a proxy.</summary>
public sealed class EmptyValueTests : IDisposable
{
    private static readonly string[] Least = ["name", "--target-uri", "http://localhost"];
    private static readonly string[] LeastOfTunnel = ["http://localhost", "name", "--tunnel-provider", "ssh"];
    private static readonly FlagTable Table = FlagTable.Of(typeof(ProxyOptions));
    private static readonly FlagTable[] Tables = [Table, FlagTable.Of(typeof(StdioOptions)), FlagTable.Of(typeof(TunnelOptions))];

    private readonly string _file = Path.GetTempFileName();

    /// <summary>Every flag of the verbs but the one list that has a default, by the number of the verb's table.</summary>
    public static TheoryData<int, string> Needed
    {
        get
        {
            var data = new TheoryData<int, string>();
            for (int verb = 0; verb < Tables.Length; verb++)
            {
                foreach (Flag flag in Tables[verb].All.Where(flag => flag.Name != "oidc-scopes"))
                {
                    data.Add(verb, flag.Name);
                }
            }

            return data;
        }
    }

    public void Dispose() => File.Delete(_file);

    [Theory]
    [MemberData(nameof(Needed))]
    public void FlagWithNothingInItIsWrongUse(int verb, string flag) =>
        Assert.StartsWith($"--{flag} is given and empty; give ", Complaint(verb, [.. LeastWithout(verb, flag), $"--{flag}="]), StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(Needed))]
    public void VariableWithNothingInItIsWrongUse(int verb, string flag)
    {
        string variable = "MCPPROXYFAST_" + flag.ToUpperInvariant().Replace('-', '_');

        Assert.StartsWith(
            $"{variable} is given and empty for --{flag}; give ", Complaint(verb, LeastWithout(verb, flag), (variable, "")), StringComparison.Ordinal);
    }

    /// <summary>A second one that is empty does not hide behind the first, nor the first behind the second.</summary>
    [Theory]
    [InlineData(0, "allowed-hosts", "a", "")]
    [InlineData(0, "oidc-audience", "", "a")]
    [InlineData(0, "remote-forward-headers-secret", "X-Key=env:PATH", " ")]
    [InlineData(1, "ignore-tool", "delete*", "")]
    public void OneOfSeveralWithNothingInItIsWrongUse(int verb, string flag, string one, string other) => Assert.StartsWith(
        $"--{flag} is given and empty; give ", Complaint(verb, [.. LeastWithout(verb, flag), $"--{flag}", one, $"--{flag}", other]), StringComparison.Ordinal);

    [Theory]
    [InlineData(0, "SERVER_NAME", "", "--target-uri", "http://localhost")]
    [InlineData(1, "SERVER_NAME", " ", "--target-uri", "http://localhost")]
    [InlineData(2, "TARGET", "", "name", "--tunnel-provider", "ssh")]
    [InlineData(2, "SERVER_NAME", "http://localhost", "", "--tunnel-provider", "ssh")]
    public void ArgumentWithNothingInItIsWrongUse(int verb, string argument, params string[] args) =>
        Assert.Equal($"the argument {argument} is given and empty; give it a value", Complaint(verb, args));

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

        Assert.StartsWith($"{flag} has no effect without --oidc-issuer", complaint, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", complaint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MCPPROXYFAST_OIDC_CLIENT_SECRET")]
    [InlineData("TOOLHIVE_OIDC_CLIENT_SECRET")]
    public void SecretInTheEnvironmentAloneIsWrongUse(string variable) => Assert.StartsWith(
        $"{variable} has no effect without --oidc-issuer",
        Assert.Throws<UsageException>(() => Policy(Least, (variable, "s3cret"))).Message,
        StringComparison.Ordinal);

    [Fact]
    public void AllowedClientsReachTheEngine() => Assert.Equal(
        ["a", "b,c"],
        Policy([.. Least, "--oidc-issuer", "https://a", "--oidc-allowed-clients", "a", "--oidc-allowed-clients", "b,c"])!.AllowedClients);

    private static string[] LeastWithout(int verb, string flag)
    {
        string[] least = Tables[verb].PositionalKeys.Count > 1 ? LeastOfTunnel : Least;
        int at = Array.IndexOf(least, $"--{flag}");
        return at < 0 ? least : [.. least[..at], .. least[(at + 2)..]];
    }

    private static string Complaint(string[] args, params (string Name, string Value)[] environment) => Complaint(0, args, environment);

    private static string Complaint(int verb, string[] args, params (string Name, string Value)[] environment) =>
        Assert.Throws<UsageException>(() => Read(Tables[verb], args, environment)).Message;

    private static JwtPolicy? Policy(string[] args, params (string Name, string Value)[] environment)
    {
        Settings settings = Read(Table, args, environment);
        return (JwtPolicy?)IncomingFlags.ToPolicy(OptionsBinder.Bind<ProxyOptions>(settings), settings);
    }

    private static Settings Read(FlagTable table, string[] args, (string Name, string Value)[] environment) =>
        Settings.Read(args, table, name => Array.Find(environment, variable => variable.Name == name).Value);
}
