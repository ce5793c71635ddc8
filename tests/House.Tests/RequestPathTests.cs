using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using McpProxyFast.House.Tests.Reading;

namespace McpProxyFast.House.Tests;

/// <summary>The law of the request path: in its rooms nothing blocks, nothing formats, nothing takes a lock, nothing is made by a chain of delegates.</summary>
/// <remarks>
/// Read from the compiled assembly, so that an interpolated string or a <c>lock</c> is seen as the call that it is. What no room of the engine may call at all
/// stands in <c>src/Engine/BannedSymbols.txt</c>, and the compiler refuses it. What allocates is counted by <see cref="AllocationTests"/>.
/// </remarks>
public sealed class RequestPathTests
{
    /// <summary>The rooms that a request goes through, sub-folders included.</summary>
    private static readonly string[] Rooms = ["Http1", "Relay", "Rewriting", "Serving", "Upstream", "Transport"];

    /// <summary>A type, or a member of one (<c>Type.Member</c>), that code of these rooms does not use.</summary>
    private static readonly (string Law, string Used, string Instead)[] Banned =
    [
        ("formats", "System.String.Format", "write bytes that were made beforehand"),
        ("formats", "System.String.Concat", "write the parts one after another"),
        ("formats", "System.String.Join", "write the parts one after another"),
        ("formats", "System.String.Create", "write bytes that were made beforehand"),
        ("formats", "System.Runtime.CompilerServices.DefaultInterpolatedStringHandler", "write bytes that were made beforehand"),
        ("formats", "System.Text.StringBuilder", "write into the PipeWriter"),
        ("formats", "System.Text.Encoding.GetString", "compare and copy bytes"),
        ("formats", "System.Text.Encoding.GetBytes", "keep the bytes, not the text"),
        ("formats", "System.Text.RegularExpressions.Regex", "use spans and SearchValues"),
        ("formats", "System.Text.Json.JsonSerializer", "look for the bytes that matter"),
        ("queries", "System.Linq.Enumerable", "write the loop"),
        ("locks", "System.Threading.Monitor", "let one thread own the data, or exchange one reference"),
        ("locks", "System.Threading.Lock.EnterScope", "let one thread own the data, or exchange one reference"),
        ("locks", "System.Threading.Lock.Enter", "let one thread own the data, or exchange one reference"),
        ("locks", "System.Threading.ReaderWriterLockSlim", "let one thread own the data, or exchange one reference"),
        ("locks", "System.Threading.SemaphoreSlim.Wait", "await it"),
        ("locks", "System.Threading.WaitHandle.WaitOne", "await a task"),
        ("locks", "System.Threading.ManualResetEventSlim.Wait", "await a task"),
        ("locks", "System.Threading.SpinWait", "exchange one reference"),
        ("locks", "System.Collections.Concurrent.BlockingCollection", "await a channel"),
        ("threads", "System.Threading.Tasks.Task.Run", "stay on the thread"),
        ("threads", "System.Threading.Thread.Start", "stay on the event loops"),
        ("threads", "System.Threading.ThreadPool.QueueUserWorkItem", "stay on the thread"),
        ("threads", "System.Threading.Timer", "let the heartbeat call"),
        ("threads", "System.Threading.CancellationTokenSource.CancelAfter", "let the heartbeat call"),
        ("collects", "System.GC.Collect", "leave it to the runtime"),
    ];

    /// <summary>Who may break which law, and why: a <c>Type</c> or a <c>Type.Member</c>. A row without need fails <see cref="NoExceptionIsStale"/>.</summary>
    private static readonly (string Law, string Who, string Reason)[] Exceptions =
    [
        ("formats", "RequestRewriter..ctor", "Makes the ready-made lines, once per proxy."),
        ("formats", "UpstreamOrigin..ctor", "Spells the origin in every way, once per proxy."),
        ("formats", "ReplacedNames..ctor", "Takes up the names of added fields, once per proxy."),
        ("formats", "HopMark..ctor", "Makes the ready-made line, once per proxy."),
        ("formats", "TargetRule..ctor", "Takes the target apart, once per proxy."),
        ("formats", "TargetRule.Describe", "Names what was asked for after a redirect of the upstream, to tell whether it is worth remembering."),
        ("formats", "EndpointEvent.Announce", "Once per stream of the transport HTTP+SSE, when it says where to post to."),
        ("formats", "OwnReply", "The proxy's own answers: the exchange ends with them, or is none that goes on."),
        ("formats", "OwnReplies", "The proxy's own answers: the exchange ends with them, or is none that goes on."),
        ("queries", "Grammar.Controls", "Fills a SearchValues, once per process."),
        ("queries", "Grammar.TargetStops", "Fills a SearchValues, once per process."),
        ("queries", "Descriptors.CountOpen", "Reads the system's limit, once per proxy."),
        ("formats", "Violations.RowOf", "Its only formatting is for a violation that is in no row, which a test rules out."),
        ("formats", "AnswerStage", "The proxy's own answers: the exchange ends with them, or is none that goes on."),
        ("formats", "CredentialStage.Describe", "Names a request for which a credential has to be waited for, or that was challenged."),
        ("formats", "CredentialStage.RecoverAsync", "After a 401 or 403 of the upstream."),
        ("formats", "CredentialStage.ValuesOf", "After a 401 or 403 of the upstream."),
        ("formats", "OwnEndpoints.AnswerPreflight", "A preflight that the proxy answers by itself."),
        ("formats", "RedirectMemory", "After a redirect of the upstream, once a minute for each target."),
        ("formats", "EpollAcceptor.AcceptAsync", "Words an accept that failed."),
        ("locks", "ConnectionSet", "Once per connection, when it comes and goes; a beat takes no lock."),
        ("locks", "DescriptorTable", "Once per connection, when its descriptor comes and goes; an event takes no lock."),
        ("locks", "EpollDescriptor", "Once per connection, when its descriptor is closed: no other thread may use the number meanwhile."),
        ("locks", "EpollAcceptor", "Once per connection, when it is accepted: nothing is accepted from a number that was given back."),
        ("locks", "EventLoop.TryAdd", "Once per connection, when its descriptor comes: a loop that has ended takes none."),
        ("locks", "EventLoop.Run", "Once, when the loop ends."),
        ("locks", "EventLoops", "Once per proxy, when it takes its share in the loops and gives it back."),
        ("formats", "EventLoop..ctor", "Names the loop's thread, once."),
        ("threads", "EventLoop..ctor", "Starts the loop's thread, once."),
        ("threads", "Heartbeat..ctor", "Starts the heartbeat's thread, once."),
        ("threads", "WakeQueue.TryStart", "Starts a thread for what is due, where none is idle: after a time limit, a drain or an abort."),
        ("locks", "Heartbeat", "Once per proxy, when it comes and goes; and the heartbeat's own thread waits for the next beat."),
        ("locks", "WakeQueue", "After a time limit, a drain or an abort, and once a beat."),
        ("collects", "BurstCollector", "Gives memory back after a burst, when no connection is left. Its remarks say what it costs."),
        ("formats", "MovedTarget", "Asked only until it has been said once that the target redirects: the URL is for a person to read."),
    ];

    private static IEnumerable<Use> Uses => EngineCode.Compiled.Where(use => Rooms.Contains(Room.Of(use.By.Namespace).Split('.')[0]));

    [Fact]
    public void RequestPathKeepsItsLaw() => Keeper.ExpectNone(
        Breaches().Where(breach => !Exceptions.Any(row => row.Law == breach.Law && Covers(row.Who, breach.By)))
            .Select(breach => $"{Room.Of(breach.By.Namespace)}: {breach.By} {breach.Law}: it uses {breach.Used}; {breach.Instead}"),
        "Do as the line says. Where the code is cold (it runs once per proxy, or only when something has gone wrong), "
        + "name it with its reason in RequestPathTests.Exceptions.");

    [Fact]
    public void NoExceptionIsStale() => Keeper.ExpectNone(
        Exceptions.Where(row => !Breaches().Any(breach => row.Law == breach.Law && Covers(row.Who, breach.By))).Select(row => $"{row.Who} no longer {row.Law}"),
        "Take the row out of RequestPathTests.Exceptions.");

    [Fact]
    public void EveryExceptionHasAReason() => Assert.All(Exceptions, row => Assert.True(row.Reason.Length > 20, $"{row.Who}: say why."));

    /// <summary>What the compiler refuses is allowed here and there by a pragma: it says why on its own line, and ends.</summary>
    [Fact]
    public void EveryPragmaAgainstABannedCallSaysWhy()
    {
        foreach ((_, string path) in SourceTree.Files())
        {
            string[] pragmas = [.. File.ReadLines(path).Where(line => line.StartsWith('#') && line.Contains("RS0030", StringComparison.Ordinal))];
            foreach (string[] pair in pragmas.Chunk(2))
            {
                Assert.Matches(@"^#pragma warning disable RS0030 // \S.{20,}$", pair[0]);
                Assert.Equal("#pragma warning restore RS0030", pair[^1]);
            }
        }
    }

    /// <summary>The table would be silent about a name that is written wrongly.</summary>
    [Fact]
    public void EveryBannedNameExists() => Assert.All(Banned, row => Assert.True(Exists(row.Used), $"There is no {row.Used}."));

    [Fact]
    public void BreachesAreFoundWhereTheyAre() => Assert.Contains(EngineCode.Compiled, use => Matches("System.Threading.Tasks.Task.Run", use.Used));

    private static IEnumerable<(string Law, string Used, string Instead, CodePlace By)> Breaches() =>
        from use in Uses
        where use.By.Member is not (".cctor" or "ToString" or "PrintMembers") // the first runs once; the others are for debuggers
        from row in Banned
        where Matches(row.Used, use.Used)
        select (row.Law, row.Used, row.Instead, use.By);

    private static bool Matches(string banned, CodePlace used) => banned == used.FullType || banned == $"{used.FullType}.{used.Member}";

    private static bool Covers(string who, CodePlace by) => who == by.Type || who == by.ToString();

    private static bool Exists(string name) => TypesNamed(name).Any()
        || TypesNamed(name[..name.LastIndexOf('.')]).Any(type => type.GetMember(name[(name.LastIndexOf('.') + 1)..]).Length > 0);

    private static IEnumerable<Type> TypesNamed(string name) =>
        new[] { typeof(object), typeof(Enumerable), typeof(Regex), typeof(JsonSerializer), typeof(BlockingCollection<>) }
        .SelectMany(one => one.Assembly.GetExportedTypes())
        .Where(type => type.FullName!.Split('`')[0].Replace('+', '.') == name);
}
