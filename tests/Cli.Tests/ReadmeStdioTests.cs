using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Options;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>What README.md gives to clients that speak stdio, and to who comes from <c>mcp-remote</c>: the command takes it as it stands there.</summary>
public sealed partial class ReadmeStdioTests : IDisposable
{
    private const string Target = "https://mcp.example.com/mcp";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The settings in JSON, and below which key each client looks for its servers.</summary>
    public static TheoryData<string, string> Settings => new()
    {
        { "Claude Desktop", "mcpServers" },
        { "VS Code", "servers" },
        { "Zed", "context_servers" },
    };

    public static TheoryData<string> Shells => ["Claude Code", "Codex", "Gemini CLI", "Qwen Code"];

    /// <summary>Each of the command's flags that stands in the place of one of <c>mcp-remote</c>.</summary>
    public static TheoryData<string> Replacements => [.. Rows("`npx mcp-remote URL …`").SelectMany(row => Codes(row[1])).Where(code => code.StartsWith("--", StringComparison.Ordinal)).Distinct()];

    /// <summary>
    /// Each flag of <c>mcp-remote</c> in the table that is not one of this command, and what the page gives in its place: flags, or the first word of a sentence.
    /// </summary>
    public static TheoryData<string, string[]> FlagsOfMcpRemote
    {
        get
        {
            var data = new TheoryData<string, string[]>();
            foreach (string[] row in Rows("`npx mcp-remote URL …`"))
            {
                string[] theirs = [.. FlagsIn(row[0])];
                string[] ours = [.. FlagsIn(row[1])];
                for (int i = 0; i < theirs.Length; i++)
                {
                    if (!Own.All.Any(flag => $"--{flag.Name}" == theirs[i]))
                    {
                        string words = row[1].StartsWith("none", StringComparison.Ordinal) ? "nothing like it" : "not needed";
                        data.Add(theirs[i], ours.Length == theirs.Length ? [ours[i]] : ours.Length > 0 ? ours : [words]);
                    }
                }
            }

            return data;
        }
    }

    private static FlagTable Own => FlagTable.Of(typeof(StdioOptions));

    [Theory]
    [MemberData(nameof(FlagsOfMcpRemote))]
    public void FlagOfMcpRemoteIsRefusedWithWhatThePageGivesInItsPlace(string flag, string[] instead)
    {
        string message = Assert.Throws<UsageException>(() => Own.Find(flag[2..])).Message;

        Assert.All(instead, words => Assert.Contains(words, message, StringComparison.Ordinal));
        Assert.All(instead.Where(words => words.StartsWith("--", StringComparison.Ordinal)), words => Assert.NotNull(Own.Find(words[2..])));
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task SettingsOfAClientAreJsonAndStartTheBridge(string client, string key)
    {
        JsonObject settings = JsonNode.Parse(Codes(Of(client)[2]).Single())!.AsObject();
        JsonNode server = Assert.Single(Assert.Single(settings, part => part.Key == key).Value!.AsObject()).Value!;

        Assert.Single(settings);
        Assert.Equal("mcpproxyfast", server["command"]!.GetValue<string>());
        await ExpectTakenAsync(server["args"]!.AsArray().Select(argument => argument!.GetValue<string>()));
    }

    /// <summary>Its settings have the command and its arguments in one list.</summary>
    [Fact]
    public async Task SettingsOfOpencodeAreJsonAndStartTheBridge()
    {
        JsonNode server = JsonNode.Parse(Codes(Of("opencode")[2]).Single())!["mcp"]!["notion"]!;
        string[] command = [.. server["command"]!.AsArray().Select(word => word!.GetValue<string>())];

        Assert.Equal("local", server["type"]!.GetValue<string>());
        Assert.Equal("mcpproxyfast", command[0]);
        await ExpectTakenAsync(command[1..]);
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public async Task CommandLineOfAClientStartsTheBridge(string client)
    {
        string[] words = Codes(Of(client)[2]).Single().Split(' ');
        int command = Array.IndexOf(words, "mcpproxyfast");

        Assert.Equal(["mcp", "add", "notion"], words[1..command].Where(word => word != "--"));
        await ExpectTakenAsync(words[(command + 1)..].Where(word => word != "--")); // which ends the client's own flags
    }

    [Fact]
    public void EnvironmentOfAClientIsJson() =>
        Assert.NotNull(JsonNode.Parse($"{{{Codes(Section()).Single(code => code.StartsWith("\"env\"", StringComparison.Ordinal))}}}"));

    [Theory]
    [MemberData(nameof(Replacements))]
    public async Task FlagInThePlaceOfOneOfMcpRemoteIsTaken(string flag)
    {
        string[] words =
        [
            .. flag.Replace("FILE", _folder.Write("value", "s3cret"), StringComparison.Ordinal).Replace("URL", "https://login.example.com/there", StringComparison.Ordinal)
                .Replace("URI", Target, StringComparison.Ordinal).Split(' '),
        ];
        string[] beside = words[0] switch
        {
            "--remote-auth-client-secret-file" => ["--remote-auth-client-id", "id"],
            "--remote-auth-grant" when words[1] == "client_credentials" => ["--remote-auth-client-id", "id", "--remote-auth-client-secret", "s3cret"],
            "--remote-auth-token-url" =>
                ["--remote-auth-grant", "client_credentials", "--remote-auth-client-id", "id", "--remote-auth-client-secret", "s3cret"],
            _ => [],
        };

        await ExpectTakenAsync(["stdio", "notion", "--target-uri", Target, "--remote-auth", .. words, .. beside]);
    }

    private static async Task ExpectTakenAsync(IEnumerable<string> args)
    {
        Outcome outcome = await Command.RunAsync([.. args, "--check"]);

        Assert.Equal((0, ""), (outcome.ExitCode, outcome.ExitCode == 0 ? "" : outcome.Errors));
        Assert.Equal(Target, JsonNode.Parse(outcome.Output)!["target-uri"]!.GetValue<string>());
        Assert.True(JsonNode.Parse(outcome.Output)!["remote-auth"]!.GetValue<bool>());
    }

    private static string[] Of(string client) => Rows("Client").Single(row => row[0] == client);

    /// <summary>The cells of the table whose first heading is given.</summary>
    private static IEnumerable<string[]> Rows(string heading) => Section().Split('\n')
        .SkipWhile(line => !line.StartsWith($"| {heading} |", StringComparison.Ordinal))
        .Skip(2)
        .TakeWhile(line => line.StartsWith('|'))
        .Select(line => line.Split(" | ").Select(cell => cell.Trim('|', ' ')).ToArray());

    private static IEnumerable<string> FlagsIn(string cell) =>
        Codes(cell).Where(code => code.StartsWith("--", StringComparison.Ordinal)).Select(code => code.Split(' ')[0]);

    private static IEnumerable<string> Codes(string text) => Code().Matches(text).Select(code => code.Groups[1].Value);

    /// <summary>The page's part about stdio.</summary>
    private static string Section()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "McpProxyFast.sln")))
        {
            folder = folder.Parent;
        }

        string page = File.ReadAllText(Path.Combine(folder?.FullName ?? throw new DirectoryNotFoundException("The tests do not run inside the working copy."), "README.md"));
        string section = page[page.IndexOf("## From a client that speaks stdio", StringComparison.Ordinal)..];
        return section[..section.IndexOf("\n## ", StringComparison.Ordinal)];
    }

    [GeneratedRegex("`([^`\\n]+)`")]
    private static partial Regex Code();
}
