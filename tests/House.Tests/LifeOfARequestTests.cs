using System.Reflection;
using System.Text.RegularExpressions;
using McpProxyFast.House.Tests.Reading;

namespace McpProxyFast.House.Tests;

/// <summary>The life of a request, as <c>src/Engine/README.md</c> tells it, is that of the code.</summary>
/// <remarks>The methods that it names exist, and <c>Exchange</c> goes through its steps in its order.</remarks>
public sealed partial class LifeOfARequestTests
{
    private const string Section = "\"The life of a request\" of src/Engine/README.md";
    private const string Exchange = "src/Engine/Serving/Exchange.cs";

    private const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;

    private static readonly string Readme = File.ReadAllText(Path.Combine(SourceTree.Engine, "README.md"));
    private static readonly LifeStep[] Life = LifeStep.Parse(Readme);
    private static readonly LifeStep[] Renewal = LifeStep.Parse(Readme, "The life of a renewal");

    [Fact]
    public void LifeIsAListNumberedFromOne() => Assert.Equal(Enumerable.Range(1, Math.Max(Life.Length, 3)), Life.Select(step => step.Number));

    [Fact]
    public void EveryNameOfTheLifeExists() => Keeper.ExpectNone(
        Life.SelectMany(step => step.Names.Where(name => !Exists(name)).Select(name => $"{step.Number}. {step.Title}: there is no {name}")),
        $"Name in {Section} what the code is called now.");

    [Fact]
    public void EveryNameOfTheLifeOfARenewalExists()
    {
        Assert.NotEmpty(Renewal);
        Keeper.ExpectNone(
            Renewal.SelectMany(step => step.Names.Where(name => !Exists(name)).Select(name => $"{step.Number}. {step.Title}: there is no {name}")),
            "Name in \"The life of a renewal\" of src/Engine/README.md what the code is called now.");
    }

    [Fact]
    public void EveryStepNamesAMethod() => Keeper.ExpectNone(
        Life.Where(step => !step.Names.Any(IsMethod)).Select(step => $"{step.Number}. {step.Title} names no method"),
        $"Name in {Section}, as `Type.Method` in backticks, the method where the step begins.");

    [Fact]
    public void ExchangeGoesThroughTheStepsInOrder()
    {
        string path = Path.Combine(SourceTree.Root, Exchange);
        Assert.True(File.Exists(path), $"There is no {Exchange}.");
        Assert.Equal(Life.Select(step => $"// {step.Number}. {step.Title}"), StepComments(File.ReadAllText(path)));
    }

    [Fact]
    public void StepCommentsAreReadFromTheMethodThatHasTheFirst() => Assert.Equal(
        ["// 1. Head", "// 2. Admit"],
        StepComments("class C { void M() {\n// 1. Head\nDo();\n// 2. Admit: host first\nDo(); // 3 times\n } void N() {\n// 3. Lease\n} }"));

    [Fact]
    public void LifeIsReadFromItsSection()
    {
        LifeStep[] life = LifeStep.Parse(
            "1. **No.** `A.B`\n## The life of a request\n\n1. **Head.** `A.B` and\n   `C.D()`, not `e.f`, `G` or `h.md`.\n2. **Admit.** x\n\nAfter it `I.J`.\n"
            + "## Next\n3. **No.**");
        Assert.Equal(["1 Head A.B,C.D", "2 Admit "], life.Select(step => $"{step.Number} {step.Title} {string.Join(',', step.Names)}"));
    }

    [Theory]
    [InlineData("McpProxy.RunAsync", true, true)]
    [InlineData("McpProxy.AcceptNothing", false, false)]
    [InlineData("ProxyLimits.MaxFields", true, false)]
    [InlineData("Nobody.RunAsync", false, false)]
    public void NameIsLookedUpInTheEngine(string name, bool exists, bool isMethod) => Assert.Equal((exists, isMethod), (Exists(name), IsMethod(name)));

    /// <summary>The comments <c>// 1. Head</c> of the method that has the first of them, up to the first punctuation mark after the title.</summary>
    private static IEnumerable<string> StepComments(string code)
    {
        Microsoft.CodeAnalysis.SyntaxNode? method = SourceUses.Parse(code).GetRoot().DescendantNodes()
            .OfType<Microsoft.CodeAnalysis.CSharp.Syntax.MethodDeclarationSyntax>()
            .FirstOrDefault(one => Comments(one).Any(comment => comment.StartsWith("// 1. ", StringComparison.Ordinal)));
        return method is null ? [] : Comments(method);
    }

    private static IEnumerable<string> Comments(Microsoft.CodeAnalysis.SyntaxNode method) =>
        method.DescendantTrivia().Select(trivia => StepComment().Match(trivia.ToString())).Where(match => match.Success).Select(match => match.Value.TrimEnd());

    private static bool Exists(string name) => Members(name).Any();

    private static bool IsMethod(string name) => Members(name).Any(member => member is MethodInfo);

    private static IEnumerable<MemberInfo> Members(string name)
    {
        string[] parts = name.Split('.');
        return typeof(McpProxy).Assembly.GetTypes().Where(type => type.Name.Split('`')[0] == parts[^2]).SelectMany(type => type.GetMember(parts[^1], Any));
    }

    [GeneratedRegex(@"^// \d+\. [\w ]+")]
    private static partial Regex StepComment();
}
