using McpProxyFast.House.Tests.Reading;
using Microsoft.CodeAnalysis;

namespace McpProxyFast.House.Tests;

/// <summary>The shapes of the code in <c>src</c>: how long, how wide, how many. They tell where a reader would lose his way.</summary>
public sealed class ShapeTests
{
    private const int LongestMethod = 60;
    private const int MaxFields = 15;
    private const int LongestLine = 160;
    private const int LongestFile = 350;

    /// <summary>Asserted claims per thousand lines, over the rooms together; hyper's HTTP/1 code has about as many.</summary>
    private const int MinAsserts = 5;

    /// <summary>The rooms where a wrong claim costs a request: what their remarks say must hold is asserted.</summary>
    private static readonly string[] AssertingRooms = ["Transport", "Serving", "Http1", "Relay", "Upstream"];

    /// <summary>The one file of Serving that other threads may reach into. Its parts have a file each; see <see cref="Exceptions"/>.</summary>
    private const string SharedFile = "src/Engine/Serving/Interrupts.cs";

    /// <summary>What may break a shape, and why. A row that is no longer needed fails <see cref="NoExceptionIsStale"/>.</summary>
    private static readonly (string Shape, string What, string Reason)[] Exceptions =
    [
        ("fields", "ProxyLimits", "One property for each bound: a host sees them all in one list, and each has its own documentation."),
        ("fields", "McpProxyOptions", "One property for each thing that a host may set; it holds no state."),
        ("fields", "SharedServices", "What all connections of a proxy share, put together once; it holds no state but that the proxy drains."),
        ("fields", "ExchangeOutcome", "One property for each thing that is told of an exchange, to the counters, the log or the observer; it decides nothing."),
        ("fields", "ExchangeReport", "One property for each thing that an access log may want; a host reads it and keeps nothing."),
        ("file", "src/Engine/Serving/RequestStream.cs", "Head, replay window and pump write the same state, so they are one class; a third of it is remarks."),
        ("file", "src/Engine/Serving/Exchange.cs", "All stages of an exchange and what they pass on, in their order; what a stage decides is elsewhere."),
        ("file", "src/Engine/Transport/ConnectionReader.cs", "The one reader of every channel: reading, watching and looking share its state."),
        ("shared memory", "src/Engine/Serving/ConnectionSet.cs", "Shared by all connections of a proxy, not by the threads of one: its slots are read by each beat."),
        ("shared memory", "src/Engine/Serving/DueWork.cs", "A part of Interrupts: one word, what is due on the connection."),
        ("shared memory", "src/Engine/Serving/ExchangeWord.cs", "A part of Interrupts: one word, what can end the exchange."),
        ("shared memory", "src/Engine/Serving/WaitDeadline.cs", "A part of Interrupts: one word, the deadline, and what the heartbeat needs to extend it."),
        ("shared memory", "src/Engine/Serving/Doorway.cs", "Shared by all connections of a listener: one immutable record, replaced as a whole."),
        ("shared memory", "src/Engine/Serving/Entrances.cs", "Shared by all calls of a host, before there is a connection: a slot is replaced as a whole."),
        ("shared memory", "src/Engine/Serving/RedirectMemory.cs", "Shared by all connections of a proxy: one immutable list, replaced as a whole."),
        ("shared memory", "src/Engine/Serving/SharedServices.cs", "Shared by all connections of a proxy: one flag, that it drains."),
        ("fields", "ExchangeOptions", "One property for each flag of the command line; CommandLineParser fills them."),
        ("fields", "OutgoingOptions", "One property for each flag of the command line; CommandLineParser fills them."),
        ("fields", "ProxyOptions", "One property for each flag of the command line; CommandLineParser fills them."),
    ];

    private static readonly (string Path, string[] Lines, SyntaxNode Syntax)[] Files =
    [
        .. SourceTree.In(Path.Combine(SourceTree.Root, "src")).Select(file =>
        {
            string text = File.ReadAllText(file.Path);
            return (SourceTree.Shown(file.Path), text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n'), SourceUses.Parse(text).GetRoot());
        }),
    ];

    private static IEnumerable<(string Path, string[] Lines, SyntaxNode Syntax)> Serving =>
        Files.Where(file => file.Path.StartsWith("src/Engine/Serving/", StringComparison.Ordinal));

    [Fact]
    public void MethodFitsOnAScreen() => Expect(
        "method",
        TooLong(),
        $"Split the method where its comments begin, so that it has at most {LongestMethod} lines from its signature to its closing brace.");

    [Fact]
    public void ClassHoldsFewFields() => Expect(
        "fields",
        TooManyFields(),
        $"Give the fields that belong together a class of their own, so that none holds more than {MaxFields}. Properties that store a value count.");

    [Fact]
    public void LineIsNotTooWide() => Expect("line", TooWide(), $"Break the line: at most {LongestLine} characters.");

    [Fact]
    public void FileIsNotTooLong() => Expect(
        "file",
        TooManyLines(),
        $"Move a type or a duty out of the file, so that it has at most {LongestFile} lines.");

    [Fact]
    public void ServingHasNoPartialTypes() => Expect(
        "partial",
        PartialTypes(),
        "Make a class of each part, which owns its fields.");

    [Fact]
    public void WhatThreadsShareInServingIsInOneFile() => Expect(
        "shared memory",
        SharedMemory(),
        $"Move the field and its rule into {SharedFile}, the only place in Serving where volatile, Volatile and Interlocked may stand.");

    [Fact]
    public void ClaimsAreAsserted()
    {
        (string Path, string[] Lines, SyntaxNode Syntax)[] rooms =
            [.. Files.Where(file => AssertingRooms.Any(room => file.Path.StartsWith($"src/Engine/{room}/", StringComparison.Ordinal)))];
        int lines = rooms.Sum(file => file.Lines.Length);
        int asserts = rooms.Sum(file => Shapes.Asserts(file.Syntax));
        Assert.True(
            asserts * 1000 >= MinAsserts * lines,
            $"{string.Join(", ", AssertingRooms)} have {asserts} Debug.Assert in {lines} lines; at least {MinAsserts} per 1,000 lines are wanted, "
            + $"{((MinAsserts * lines) + 999) / 1000} in all.{Environment.NewLine}What to do: assert what the remarks say must, may only, or is never.");
    }

    [Fact]
    public void NoExceptionIsStale() => Keeper.ExpectNone(
        Exceptions.Where(row => !Breaches(row.Shape).Any(breach => breach.What == row.What)).Select(row => $"{row.Shape}: {row.What} keeps the rule"),
        "Take the row out of ShapeTests.Exceptions.");

    [Fact]
    public void EveryExceptionHasAReason() => Assert.All(Exceptions, row => Assert.True(row.Reason.Length > 20, $"{row.What}: say why."));

    private static IEnumerable<(string What, string Breach)> Breaches(string shape) => shape switch
    {
        "method" => TooLong(),
        "fields" => TooManyFields(),
        "line" => TooWide(),
        "file" => TooManyLines(),
        "partial" => PartialTypes(),
        "shared memory" => SharedMemory(),
        _ => throw new ArgumentOutOfRangeException(nameof(shape), shape, "No such shape."),
    };

    private static IEnumerable<(string What, string Breach)> TooLong() => Files.SelectMany(file => Shapes.Bodies(file.Syntax)
        .Where(body => body.Lines > LongestMethod)
        .Select(body => (body.Name, $"{file.Path}: {body.Name} has {body.Lines} lines")));

    private static IEnumerable<(string What, string Breach)> TooManyFields() => Files
        .GroupBy(file => Path.GetDirectoryName(file.Path)!)
        .SelectMany(folder => Shapes.Types(folder.Select(file => file.Syntax))
            .Where(type => type.Fields > MaxFields)
            .Select(type => (type.Name, $"{folder.Key}: {type.Name} has {type.Fields} fields")));

    private static IEnumerable<(string What, string Breach)> TooWide() => Files.SelectMany(file => file.Lines
        .Select((line, index) => (line.Length, Number: index + 1))
        .Where(line => line.Length > LongestLine)
        .Select(line => (file.Path, $"{file.Path}:{line.Number} has {line.Length} characters")));

    private static IEnumerable<(string What, string Breach)> TooManyLines() => Files
        .Where(file => file.Lines.Length > LongestFile)
        .Select(file => (file.Path, $"{file.Path} has {file.Lines.Length} lines"));

    private static IEnumerable<(string What, string Breach)> PartialTypes() => Serving
        .SelectMany(file => Shapes.Partials(file.Syntax).Select(line => (file.Path, $"{file.Path}:{line} says partial")));

    private static IEnumerable<(string What, string Breach)> SharedMemory() => Serving
        .Where(file => file.Path != SharedFile)
        .SelectMany(file => Shapes.SharedMemory(file.Syntax)
            .Select(line => (file.Path, $"{file.Path}:{line} shares memory between threads: {file.Lines[line - 1].Trim()}")));

    private static void Expect(string shape, IEnumerable<(string What, string Breach)> breaches, string remedy) => Keeper.ExpectNone(
        breaches.Where(breach => !Exceptions.Any(row => row.Shape == shape && row.What == breach.What)).Select(breach => breach.Breach),
        $"{remedy} Where the shape is right as it is, name it with its reason in ShapeTests.Exceptions.");
}
