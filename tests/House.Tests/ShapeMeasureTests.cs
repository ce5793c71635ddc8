using McpProxyFast.House.Tests.Reading;
using Microsoft.CodeAnalysis;

namespace McpProxyFast.House.Tests;

/// <summary>The rulers of <see cref="ShapeTests"/>, held against code whose measures are plain to see.</summary>
public sealed class ShapeMeasureTests
{
    [Theory]
    [InlineData("class C\n{\n    [Obsolete]\n    public void M(\n        int a)\n    {\n    }\n}", "C.M", 4)]
    [InlineData("class C\n{\n    /// <summary>Two\n    /// lines.</summary>\n    int M() => 1;\n}", "C.M", 1)]
    [InlineData("class C\n{\n    int P\n    {\n        get\n        {\n            return 1;\n        }\n    }\n}", "C.P", 7)]
    [InlineData("class C\n{\n    Action A = () =>\n    {\n    };\n}", "C.lambda", 3)]
    [InlineData("class C\n{\n    void M()\n    {\n        void L()\n        {\n        }\n    }\n}", "C.M.L", 3)]
    [InlineData("class C\n{\n    C()\n    {\n    }\n}", "C.constructor", 3)]
    public void BodyIsMeasuredFromItsSignatureToItsEnd(string code, string name, int lines) => Assert.Contains((name, lines), Shapes.Bodies(Syntax(code)));

    [Theory]
    [InlineData("class C { int _a, _b; static int S; const int K = 1; }", 2)]
    [InlineData("class C { int A { get; set; } int B => 1; int D { get { return 1; } } static int E { get; } }", 1)]
    [InlineData("class C { int A { get; set => field = value + 1; } int B { get => field; set => field = value; } }", 2)]
    [InlineData("class C { event Action E; }", 1)]
    [InlineData("class C(int a, int b, int c) { int _a = a; int P { get; } = b; int M() => c; }", 3)]
    [InlineData("class C(int a) { int M(C one) => one.a; }", 0)]
    [InlineData("class C(int a) : B(a) { }", 0)]
    [InlineData("record C(int A, int B) { int _c; }", 3)]
    [InlineData("partial class C { int _a; } partial class C { int _b; }", 2)]
    [InlineData("class C { abstract int A { get; } class D { int _a, _b; } }", 0)]
    [InlineData("struct C { unsafe fixed int _a[4]; volatile int _b; }", 2)]
    public void FieldIsWhatAnObjectHolds(string code, int fields) => Assert.Contains(("C", fields), Shapes.Types([Syntax(code)]));

    [Fact]
    public void PartsInSeveralFilesAreOneType() =>
        Assert.Equal([("C", 2)], Shapes.Types([Syntax("partial class C { int _a; }"), Syntax("partial class C { int _b; }")]));

    [Fact]
    public void SharedMemoryIsFoundByItsWords() => Assert.Equal(
        [2, 3, 4, 5],
        Shapes.SharedMemory(Syntax(
            "class C { // volatile\nvolatile int _a;\nint M() => Volatile.Read(ref _a);\nvoid N() => System.Threading.Interlocked.Increment(ref _a);\n"
            + "void O() => ImmutableInterlocked.Update(ref _b, one => one);\nstring S => \"Interlocked\"; }")));

    [Fact]
    public void PartialIsFoundOnTypesAndMethods() => Assert.Equal([1, 2], Shapes.Partials(Syntax("partial class C {\npartial void M();\nint partial = 1; }")));

    [Fact]
    public void AssertIsCountedWhereItIsCalled() =>
        Assert.Equal(1, Shapes.Asserts(Syntax("class C { void M() { Debug.Assert(true); /* Debug.Assert(true) */ Other.Assert(true); } }")));

    private static SyntaxNode Syntax(string code) => SourceUses.Parse(code).GetRoot();
}
