using System.Text.RegularExpressions;
using McpProxyFast.House.Tests.Reading;
using McpProxyFast.Outcomes;
using Microsoft.CodeAnalysis;

namespace McpProxyFast.House.Tests;

/// <summary>Every message that a person can meet stands in <c>Messages.txt</c>, so that a reader can review them, and a changed one is seen.</summary>
public sealed partial class MessageTests
{
    /// <summary>Set to 1, the list is written anew in place of being compared.</summary>
    private const string Switch = "UPDATE_MESSAGES";

    private const string Command = Switch + "=1 dotnet test tests/House.Tests --filter MessageTests";

    private static readonly string List = Path.Combine(SourceTree.Root, "tests", "House.Tests", "Messages.txt");

    private static readonly SyntaxNode[] Files =
        [.. SourceTree.In(Path.Combine(SourceTree.Root, "src")).Select(file => SourceUses.Parse(File.ReadAllText(file.Path)).GetRoot())];

    private static readonly (int Id, string Level, string Name, string Text)[] LogMessages =
        [.. Files.SelectMany(MessageSource.LogMessages).OrderBy(message => message.Id)];

    [Fact]
    public void EveryMessageIsInTheList()
    {
        string[] now = [.. Lines()];
        if (Environment.GetEnvironmentVariable(Switch) == "1")
        {
            File.WriteAllLines(List, now);
        }

        string[] written = File.Exists(List) ? File.ReadAllLines(List) : [];
        Keeper.ExpectNone(
            [.. now.Except(written).Select(line => $"new: {line}"), .. written.Except(now).Select(line => $"gone: {line}")],
            $"Read the new lines as somebody would who knows nothing of the code. If they are right, run `{Command}` and commit {SourceTree.Shown(List)}.");
    }

    [Fact]
    public void LogMessageHasANumberOfItsOwn() => Keeper.ExpectNone(
        LogMessages.GroupBy(message => message.Id).Where(group => group.Count() > 1).Select(group => $"{group.Key}: {string.Join(", ", group.Select(one => one.Name))}"),
        "Give each log message a number that no other has.");

    [Fact]
    public void NothingIsLoggedPastTheList() => Keeper.ExpectNone(
        Files.SelectMany(MessageSource.PlainLogCalls),
        "Declare the message in src/Engine/Outcomes/LogMessages.cs, or src/Cli/LogMessages.cs, with a number of its own, and call that.");

    [Fact]
    public void LogMessageIsNotTooLong() => Assert.All(LogMessages, message => Assert.InRange(message.Text.Length, 1, 220));

    [Fact]
    public void OptionThatAMessageNamesExistsAndHasAFlag()
    {
        string flags = File.ReadAllText(Path.Combine(SourceTree.Root, "src", "Cli", "OptionNames.cs"));
        string texts = string.Join('\n', LogMessages.Select(message => message.Text).Concat(Enum.GetValues<FaultReason>().Select(FaultAdvice.For)));
        Keeper.ExpectNone(
            OptionName().Matches(texts).Select(match => match.Value).Distinct()
                .Where(name => typeof(McpProxy).Assembly.GetType($"McpProxyFast.{name.Split('.')[0]}")?.GetProperty(name.Split('.')[1]) is null
                    || !flags.Contains($"\"{name}\"", StringComparison.Ordinal)),
            "Name an option that there is, and put its flag into src/Cli/OptionNames.cs.");
    }

    [GeneratedRegex(@"\b(McpProxyOptions|ProxyLimits|TokenPolicy|OutgoingPolicy|ClientConnectionInfo)\.[A-Z]\w+")]
    private static partial Regex OptionName();

    private static readonly (string By, string Text)[] Told = [.. Files.SelectMany(MessageSource.Told)];

    private static IEnumerable<string> Lines() =>
    [
        $"# Every message that a person can meet. A test compares it. Written by: {Command}",
        "",
        "# What is logged: number, level, name, text",
        .. LogMessages.Select(message => $"{message.Id} {message.Level} {message.Name}: {message.Text}"),
        "",
        "# What a refused client is told",
        .. Enum.GetValues<RefusalReason>().Where(reason => reason is not RefusalReason.None).Select(Refusal.For)
            .Select(refusal => $"{refusal.Status} {refusal.Code}: {refusal.Sentence} ({refusal.Rule})"),
        "",
        "# What a client is told of a fault, and what the log advises",
        .. Enum.GetValues<FaultReason>().Where(reason => reason is not FaultReason.None)
            .Select(reason => (Fault: Fault.For(reason), Advice: FaultAdvice.For(reason)))
            .Select(row => $"{row.Fault.Status} {row.Fault.Code}: {row.Fault.Sentence} {row.Advice}".TrimEnd()),
        "",
        "# What is said to who brings flags or values from another program: these, the hint",
        .. Files.SelectMany(MessageSource.Hints).Select(row => $"{row.Theirs}: {row.Hint}"),
        "",
        "# What exceptions say and what is printed: by whom, text",
        .. Told.Select(told => $"{told.By}: {told.Text.ReplaceLineEndings(" ")}").Distinct().Order(StringComparer.Ordinal),
        "",
        "# All other texts: parts of messages, answers of the bridge, help texts",
        .. Files.SelectMany(MessageSource.Others)
            .Except([.. Told.Select(told => told.Text), .. Files.SelectMany(MessageSource.Hints).Select(row => row.Hint)])
            .Select(text => text.ReplaceLineEndings(" ")).Distinct().Order(StringComparer.Ordinal),
    ];
}
