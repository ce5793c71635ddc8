using McpProxyFast.House.Tests.Reading;
using Microsoft.CodeAnalysis;

namespace McpProxyFast.House.Tests;

/// <summary>What a host can see of the engine is written down in <c>src/Engine/PublicApi.txt</c>, so that a change of it is seen in review.</summary>
public sealed class PublicApiTests
{
    /// <summary>Set to 1, the baseline is written anew in place of being compared.</summary>
    private const string Switch = "UPDATE_PUBLIC_API";

    private const string Command = Switch + "=1 dotnet test tests/House.Tests --filter PublicApiTests";

    private static readonly string Baseline = Path.Combine(SourceTree.Engine, "PublicApi.txt");

    private static readonly string[] Header =
    [
        "# Everything that a host can see of the engine. A test compares it. A line that goes or changes breaks hosts: say so in the commit.",
        $"# Written by: {Command}",
    ];

    [Fact]
    public void PublicSurfaceIsTheOneThatIsWrittenDown()
    {
        string[] now = [.. PublicSurface.Of(EngineCode.AssemblyPath)];
        if (Environment.GetEnvironmentVariable(Switch) == "1")
        {
            File.WriteAllLines(Baseline, [.. Header, .. now]);
        }

        string[] written = File.Exists(Baseline) ? [.. File.ReadLines(Baseline).Where(line => !line.StartsWith('#'))] : [];
        string[] found = [.. PublicSurface.Flatten(now)];
        string[] was = [.. PublicSurface.Flatten(written)];
        Keeper.ExpectNone(
            [.. found.Except(was).Select(line => $"new: {line}"), .. was.Except(found).Select(line => $"gone: {line}")],
            $"If this change of the public API is meant, run `{Command}` and commit {SourceTree.Shown(Baseline)}. What is gone breaks hosts. "
            + "If it is not meant, make the member internal again.");
    }

    [Fact]
    public void SurfaceIsWhatAHostCanSee()
    {
        const string Code = """
            public sealed record One(int A, string? B) { public required int C { get; init; } internal int D; public int E { get; private set; } }
            public class Two<T> : System.IDisposable where T : class {
                protected virtual void P(in T one, int two = 3) { } private void Q() { } public void Dispose() { }
            }
            public enum Three { A = 1 }
            public interface IFour { System.Threading.Tasks.Task RunAsync(System.Threading.CancellationToken stop = default); }
            public static class Five { public const int K = 5; internal static int L; public class Inner { } class Hidden { public int M; } }
            internal class Six { public int N; }
            public readonly record struct Seven(int A);
            """;
        const string Surface = """
            public static class Five
                public const int K = 5
            public class Five.Inner
                public Inner()
            public interface IFour
                Task RunAsync(CancellationToken stop = default)
            public sealed record One
                public One(int A, string? B)
                public int A { get; init; }
                public int E { get; }
                public required int C { get; init; }
                public string? B { get; init; }
            public readonly struct Seven : IEquatable<Seven>
                public Seven(int A)
                public int A { get; init; }
            public enum Three
                A = 1
            public class Two<T> where T : class : IDisposable
                protected virtual void P(in T one, int two = 3)
                public Two()
                public void Dispose()
            """;
        using var compiled = new MemoryStream();
        Assert.True(SourceUses.Bind([SourceUses.Parse(Code)]).Emit(compiled).Success);
        MetadataReference assembly = MetadataReference.CreateFromImage(compiled.ToArray());
        var symbol = (IAssemblySymbol)SourceUses.Bind([]).AddReferences(assembly).GetAssemblyOrModuleSymbol(assembly)!;
        Assert.Equal(Surface.Split('\n', StringSplitOptions.None).Select(line => line.TrimEnd()), PublicSurface.Of(symbol));
    }

    [Fact]
    public void MemberIsNamedWithItsType() => Assert.Equal(
        ["public class One : Two", "public class One: public void Do()"], PublicSurface.Flatten(["public class One : Two", "    public void Do()"]));
}
