using McpProxyFast.House.Tests.Reading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace McpProxyFast.House.Tests;

/// <summary>A small engine that breaks its table in every way that is known: the keeper of the arrows finds each.</summary>
public sealed class LayeringEvasionTests
{
    private const string ToUpstream = "Relay must not use Upstream";

    private const string Table = """
        Words before.

        | Folder | Duty | May use |
        |---|---|---|
        | *(root)* | The API | every room, in its wiring only: `McpProxy` |
        | `Relay` | Moves bodies | nothing |
        | `Upstream` | Keeps connections | Transport, root |
        | `Transport` | Sockets | nothing |
        | `Transport.Epoll` | Waits | Transport |
        """;

    private const string Engine = """
        namespace McpProxyFast
        {
            internal sealed class McpProxy { internal Relay.Body? Body; internal const int Most = 3; }
            internal sealed record Options(int Most) { internal const int Least = 1; }
            internal delegate void Hook();
        }

        namespace McpProxyFast.Relay
        {
            internal sealed class Body { }
        }

        namespace McpProxyFast.Upstream
        {
            internal sealed class UpstreamPool
            {
                internal const int MaxKept = 4;
                internal Transport.Connection Connection = new();
                internal Options? Options;
                internal static int Count;
                internal static void Clear() { }
            }

            internal sealed class PooledAttribute : System.Attribute { }
            internal enum Turn { Mine, Yours }
            internal interface ILease { }
        }

        namespace McpProxyFast.Transport
        {
            internal sealed class Connection
            {
                internal Affinity? Affinity;
            }

            internal abstract class Affinity { }
        }

        namespace McpProxyFast.Transport.Epoll
        {
            internal sealed class EventLoop : Affinity { internal static EventLoop? Current; }
        }
        """;

    /// <summary>A way around, its code, and what has to be said of it.</summary>
    public static TheoryData<string, string, string> Evasions => new()
    {
        { "qualified name", InRelay("class X { bool Is(object source) => source is Upstream.UpstreamPool { Options: null }; }"), ToUpstream },
        { "field with a qualified name", InRelay("class X { private Upstream.UpstreamPool? _pool; }"), ToUpstream },
        { "the root's main class", InRelay("class X { private McpProxy? _owner; }"), "Relay must not use McpProxy, which is wiring of the root" },
        { "a record of the root", InRelay("class X { private Options? _options; }"), "Relay must not use the root's Options" },
        { "a hook of the root", InRelay("class X { private Hook? _hook; }"), "Relay must not use the root's Hook" },
        { "global using", "global using McpProxyFast.Upstream;\n" + InRelay("class X { UpstreamPool? _pool; }"), ToUpstream },
        { "using without a use", "using McpProxyFast.Upstream;\n" + InRelay("class X { }"), ToUpstream },
        { "using inside the namespace", InRelay("using Upstream; class X { UpstreamPool? _pool; }"), ToUpstream },
        { "using static", "using static McpProxyFast.Upstream.UpstreamPool;\n" + InRelay("class X { void Do() => Clear(); }"), ToUpstream },
        { "alias of a type", "using Pool = McpProxyFast.Upstream.UpstreamPool;\n" + InRelay("class X { Pool? _pool; }"), ToUpstream },
        { "alias of a namespace", "using Up = McpProxyFast.Upstream;\n" + InRelay("class X { Up.UpstreamPool? _pool; }"), ToUpstream },
        { "global::", InRelay("class X { global::McpProxyFast.Upstream.UpstreamPool? _pool; }"), ToUpstream },
        { "through a member", InLower("class X { bool Is(UpstreamPool pool) => pool.Connection.Affinity is null; }"), "Lower must not use Transport" },
        { "var", InLower("class X { object Is(UpstreamPool pool) { var one = pool.Connection; return one; } }"), "Lower must not use Transport" },
        {
            "a sub-folder from above",
            "namespace McpProxyFast.Upstream { class X { Transport.Epoll.EventLoop? _loop; } }",
            "Upstream must not use Transport.Epoll"
        },
        {
            "a sub-folder from its parent",
            "namespace McpProxyFast.Transport { class X { Epoll.EventLoop? _loop; } }",
            "Transport must not use Transport.Epoll"
        },
        { "nameof only", InRelay("class X { string Name => nameof(Upstream.UpstreamPool); }"), ToUpstream },
        { "nameof of a member", InRelay("class X { string Name => nameof(Upstream.UpstreamPool.Clear); }"), ToUpstream },
        { "constant only", InRelay("class X { int Most => Upstream.UpstreamPool.MaxKept; }"), ToUpstream },
        { "constant of the root's main class", InRelay("class X { int Most => McpProxy.Most; }"), "Relay must not use McpProxy, which is wiring of the root" },
        { "value of an enum only", InRelay("class X { int Mine => (int)Upstream.Turn.Yours; }"), ToUpstream },
        { "typeof", InRelay("class X { object Type => typeof(Upstream.UpstreamPool); }"), ToUpstream },
        { "argument of a generic type", InRelay("class X { List<Upstream.UpstreamPool>? _pools; }"), ToUpstream },
        { "argument of a generic method", InRelay("class X { object Empty => Array.Empty<Upstream.UpstreamPool>(); }"), ToUpstream },
        { "constraint", InRelay("class X<T> where T : Upstream.ILease { }"), ToUpstream },
        { "interface", InRelay("class X : Upstream.ILease { }"), ToUpstream },
        { "base type's argument", InRelay("class X : List<Upstream.UpstreamPool> { }"), ToUpstream },
        { "attribute", InRelay("[Upstream.Pooled] class X { }"), ToUpstream },
        { "attribute of a parameter", InRelay("class X { void Do([Upstream.Pooled] int one) { } }"), ToUpstream },
        { "argument of an attribute", InRelay("[System.Diagnostics.DebuggerTypeProxy(typeof(Upstream.UpstreamPool))] class X { }"), ToUpstream },
        { "static member", InRelay("class X { int Count => Upstream.UpstreamPool.Count; }"), ToUpstream },
        { "local variable", InRelay("class X { void Do() { Upstream.UpstreamPool? pool = null; GC.KeepAlive(pool); } }"), ToUpstream },
        { "array, tuple and pointer to a function", InRelay("unsafe class X { delegate*<(int, Upstream.UpstreamPool[]), void> _do; }"), ToUpstream },
        {
            "behind a jump table",
            InRelay("class X { void Do(int n) { switch (n) { case 0: case 1: case 2: case 3: Upstream.UpstreamPool.Clear(); break; case 4: return; } } }"),
            ToUpstream
        },
        { "inside a lambda", InRelay("class X { Action Do(int n) => () => { if (n > 0) { Upstream.UpstreamPool.Clear(); } }; }"), ToUpstream },
        { "inside a local function", InRelay("class X { void Do() { Inner(); static void Inner() => Upstream.UpstreamPool.Clear(); } }"), ToUpstream },
        { "inside an async method", InRelay("class X { async Task Do() { await Task.Yield(); Upstream.UpstreamPool.Clear(); } }"), ToUpstream },
        { "inside an iterator", InRelay("class X { IEnumerable<int> All() { yield return Upstream.UpstreamPool.Count; } }"), ToUpstream },
        { "inside a nested type", InRelay("class X { class Y { class Z { Upstream.UpstreamPool? _pool; } } }"), ToUpstream },
        {
            "from a namespace outside the engine",
            "namespace Elsewhere { class X { McpProxyFast.Upstream.UpstreamPool? _pool; } }",
            "(Elsewhere) must not use Upstream"
        },
        { "from no namespace", "class X { McpProxyFast.Upstream.UpstreamPool? _pool; }", "() must not use Upstream" },
        { "from a record of the root", "namespace McpProxyFast { record X(Relay.Body Body); }", "X of the root uses Relay" },
        { "by a using in the root", "using McpProxyFast.Relay; namespace McpProxyFast { record X(int One); }", "X of the root uses Relay" },
        { "a room without a row", "namespace McpProxyFast.Stdio { class X { } }", "Stdio has no row" },
        { "a circle", "namespace McpProxyFast.Transport { class X { Epoll.EventLoop? _loop; } }", "Transport.Epoll uses rooms that use it" },
    };

    [Theory]
    [MemberData(nameof(Evasions))]
    public void EvasionIsFound(string way, string code, string found)
    {
        Assert.NotEmpty(way);
        Assert.Contains(Breaches(Table, code), breach => breach.StartsWith(found, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("class X { private Upstream.UpstreamPool? _pool; }")]
    [InlineData("class X { bool Is(object source) => source is Upstream.UpstreamPool; }")]
    [InlineData("class X { async Task Do() { await Task.Yield(); Upstream.UpstreamPool.Clear(); } }")]
    [InlineData("[System.Diagnostics.DebuggerTypeProxy(typeof(Upstream.UpstreamPool))] class X { }")]
    public void AssemblyAloneShowsWhatIsCompiled(string code) =>
        Assert.Contains(AllBreaches(Table, CompiledUses.Read(Compile(InRelay(code)))), breach => breach.StartsWith(ToUpstream, StringComparison.Ordinal));

    [Fact]
    public void EngineThatKeepsItsTableIsClean() => Assert.Empty(Breaches(Table, ""));

    [Fact]
    public void WhatARowAllowsIsNotABreach() => Assert.Empty(
        Breaches(Table, "namespace McpProxyFast.Upstream { class X { Transport.Connection? _one; Options? _options; } }"));

    [Theory]
    [InlineData("| `Relay` | Moves bodies | nothing |", "| `Relay` | Moves bodies | Upstream |", "The row of Relay allows Upstream, which it does not use.")]
    [InlineData("| `Relay` | Moves bodies | nothing |", "| `Relay` | Moves bodies | root |", "The row of Relay allows root, which it does not use.")]
    [InlineData("| Moves bodies | nothing |", "| Moves bodies | everything below |", "The row of Relay allows \"everything below\", which is not a room.")]
    [InlineData("| `Relay` | Moves bodies | nothing |\n", "", "Relay has no row. Its row should allow: nothing")]
    [InlineData("| `Relay` | Moves bodies | nothing |", "| `Relay` | Moves bodies | nothing |\n| `Stdio` | Later | nothing |", "Stdio has a row but no code.")]
    [InlineData("`McpProxy`", "`McpProxy`, `Options`", "The row of the root names Options, which uses no room.")]
    [InlineData("Transport, root |", "root |", "Upstream must not use Transport")]
    [InlineData("Transport, root |", "Transport |", "Upstream must not use the root's Options")]
    public void TableThatIsNotExactIsFound(string row, string changed, string found)
    {
        string table = Table.Replace("\r", "", StringComparison.Ordinal);
        Assert.Contains(row, table, StringComparison.Ordinal);
        Assert.Contains(Breaches(table.Replace(row, changed, StringComparison.Ordinal), ""), breach => breach.StartsWith(found, StringComparison.Ordinal));
    }

    [Fact]
    public void UsingAloneNeedsNoPermission() => Assert.Contains(
        "The row of Relay allows Upstream, which it does not use.",
        Breaches(
            Table.Replace("| Moves bodies | nothing |", "| Moves bodies | Upstream |", StringComparison.Ordinal),
            "using McpProxyFast.Upstream;\n" + InRelay("class X { }")));

    private static string InRelay(string code) => $"namespace McpProxyFast.Relay {{ {code} }}";

    /// <summary>A room that holds a pool of Upstream and never names what lies behind it.</summary>
    private static string InLower(string code) => $"namespace McpProxyFast.Lower {{ using McpProxyFast.Upstream; {code} }}";

    private static string[] Breaches(string table, string code) => AllBreaches(table, [.. CompiledUses.Read(Compile(code)), .. SourceUses.Read(Bind(code))]);

    private static string[] AllBreaches(string table, IEnumerable<Use> uses)
    {
        var arrows = new Arrows(RoomTable.Parse(table), uses);
        return
        [
            .. arrows.NotAllowed(), .. arrows.RootNotAllowed(), .. arrows.RootTypesThatAreNotWiring(), .. arrows.NotUsed(), .. arrows.RowsAndRoomsApart(),
            .. arrows.Circles(),
        ];
    }

    private static CSharpCompilation Bind(string code) => SourceUses.Bind([SourceUses.Parse(code), SourceUses.Parse(Engine)]);

    private static MemoryStream Compile(string code)
    {
        var assembly = new MemoryStream();
        EmitResult result = Bind(code).Emit(assembly);
        Assert.True(result.Success, string.Join(Environment.NewLine, result.Diagnostics.Where(one => one.Severity is DiagnosticSeverity.Error)));
        assembly.Position = 0;
        return assembly;
    }
}
