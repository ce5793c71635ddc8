using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace McpProxyFast.House.Tests.Reading;

/// <summary>Reads from the source which types each piece of code names, and which namespaces it opens.</summary>
/// <remarks>
/// Sees what the compiler folds away and an assembly cannot show: constants, <c>nameof</c>, <c>using</c> without a use.
/// The source is bound as the compiler binds it, so an alias or a type with the same name elsewhere deceives nobody. Remarks and documentation are not read.
/// </remarks>
internal static class SourceUses
{
    /// <summary>What <c>ImplicitUsings</c> opens in every file.</summary>
    private const string ImplicitUsings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http; " +
        "global using System.Threading; global using System.Threading.Tasks;";

    private static readonly CSharpParseOptions Options = new(
        LanguageVersion.CSharp14, DocumentationMode.None, preprocessorSymbols: ["DEBUG", "TRACE", "NET", "NET10_0", "NET10_0_OR_GREATER"]);

    /// <summary>Everything that the tests run with; the code under test is bound from its source instead.</summary>
    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("McpProxyFast.", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    public static SyntaxTree Parse(string text, string path = "") => CSharpSyntaxTree.ParseText(text, Options, path);

    public static CSharpCompilation Bind(IEnumerable<SyntaxTree> files) => CSharpCompilation.Create(
        "Bound",
        files.Append(Parse(ImplicitUsings)),
        References,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));

    public static IReadOnlyCollection<Use> Read(CSharpCompilation code)
    {
        HashSet<Use> uses = [];
        foreach (SyntaxTree file in code.SyntaxTrees)
        {
            SemanticModel model = code.GetSemanticModel(file);
            foreach (SyntaxNode node in file.GetRoot().DescendantNodes())
            {
                if (node is UsingDirectiveSyntax { NamespaceOrType: { } opened } && model.GetSymbolInfo(opened).Symbol is INamespaceSymbol space)
                {
                    uses.UnionWith(Openers(node, model).Select(by => new Use(by, new CodePlace(space.ToDisplayString(), "", ""), IsDirectiveOnly: true)));
                }
                else if (node is SimpleNameSyntax && TypeOf(node, model) is { } type
                    && SymbolEqualityComparer.Default.Equals(type.ContainingAssembly, code.Assembly))
                {
                    uses.UnionWith(Users(node, model).Select(by => new Use(by, Describe(type))));
                }
            }
        }

        return uses;
    }

    private static INamedTypeSymbol? TypeOf(SyntaxNode name, SemanticModel model)
    {
        SymbolInfo info = model.GetSymbolInfo(name);
        ISymbol? symbol = info.Symbol ?? info.CandidateSymbols.FirstOrDefault();
        return symbol switch
        {
            null or INamespaceSymbol => null,
            INamedTypeSymbol type => type,
            _ => symbol.ContainingType,
        };
    }

    /// <summary>The type whose code a name stands in. A name in a <c>using</c> (an alias, <c>using static</c>) counts for every type of its file.</summary>
    private static IEnumerable<CodePlace> Users(SyntaxNode name, SemanticModel model)
    {
        if (name.FirstAncestorOrSelf<UsingDirectiveSyntax>() is { } directive)
        {
            return Openers(directive, model);
        }

        SyntaxNode? declaration = name.Ancestors().LastOrDefault(IsTypeDeclaration);
        return declaration is null
            ? [new CodePlace("", "(assembly)", "")]
            : [Describe((INamedTypeSymbol)model.GetDeclaredSymbol(declaration)!) with { Member = MemberAround(name) }];
    }

    private static IEnumerable<CodePlace> Openers(SyntaxNode directive, SemanticModel model) => directive.SyntaxTree.GetRoot().DescendantNodes()
        .Where(node => IsTypeDeclaration(node) && !node.Ancestors().Any(IsTypeDeclaration))
        .Select(node => Describe((INamedTypeSymbol)model.GetDeclaredSymbol(node)!));

    private static bool IsTypeDeclaration(SyntaxNode node) => node is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax;

    private static string MemberAround(SyntaxNode name) => name.Ancestors().OfType<MemberDeclarationSyntax>().FirstOrDefault() switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        PropertyDeclarationSyntax property => property.Identifier.Text,
        ConstructorDeclarationSyntax => ".ctor",
        BaseFieldDeclarationSyntax field => field.Declaration.Variables[0].Identifier.Text,
        _ => "",
    };

    private static CodePlace Describe(INamedTypeSymbol type)
    {
        while (type.ContainingType is { } outer)
        {
            type = outer;
        }

        return new CodePlace(type.ContainingNamespace.IsGlobalNamespace ? "" : type.ContainingNamespace.ToDisplayString(), type.Name, "");
    }
}
