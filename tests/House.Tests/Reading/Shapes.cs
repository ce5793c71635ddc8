using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace McpProxyFast.House.Tests.Reading;

/// <summary>Measures source files by their syntax.</summary>
internal static class Shapes
{
    private static readonly string[] SharingWords = ["Volatile", "Interlocked", "ImmutableInterlocked", "MemoryBarrier"];

    /// <summary>Everything that has a body, with its lines: from the first word of its signature to its closing brace.</summary>
    /// <remarks>Attributes and documentation above it do not count.</remarks>
    public static IEnumerable<(string Name, int Lines)> Bodies(SyntaxNode file) => file.DescendantNodes()
        .Where(node => node is BaseMethodDeclarationSyntax or BasePropertyDeclarationSyntax or AccessorDeclarationSyntax
            or LocalFunctionStatementSyntax or AnonymousFunctionExpressionSyntax)
        .Select(node => (NameOf(node), Lines(node)));

    /// <summary>Each class, struct and record of these files, its parts put together, with the number of its instance fields.</summary>
    /// <remarks>
    /// A field is what one object holds: a declared field, a property that stores its value (automatic, or with <c>field</c>), an event that stores its
    /// handlers, and a parameter of the primary constructor that a member still reads later (of a record: every parameter).
    /// </remarks>
    public static IEnumerable<(string Name, int Fields)> Types(IEnumerable<SyntaxNode> files) => files
        .SelectMany(file => file.DescendantNodes().OfType<TypeDeclarationSyntax>())
        .Where(type => type is not InterfaceDeclarationSyntax)
        .GroupBy(NameOf)
        .Select(parts => (parts.Key, parts.Sum(Fields)));

    /// <summary>The lines of the words by which one thread hands memory to another: <c>volatile</c>, <c>Interlocked</c> and their like.</summary>
    public static IEnumerable<int> SharedMemory(SyntaxNode file) => file.DescendantTokens()
        .Where(token => token.IsKind(SyntaxKind.VolatileKeyword) || (token.IsKind(SyntaxKind.IdentifierToken) && SharingWords.Contains(token.Text)))
        .Select(LineOf);

    public static IEnumerable<int> Partials(SyntaxNode file) => file.DescendantTokens().Where(token => token.IsKind(SyntaxKind.PartialKeyword)).Select(LineOf);

    public static int Asserts(SyntaxNode file) => file.DescendantNodes()
        .OfType<InvocationExpressionSyntax>().Count(call => call.Expression.ToString() == "Debug.Assert");

    private static int LineOf(SyntaxToken token) => token.GetLocation().GetLineSpan().StartLinePosition.Line + 1;

    private static int Lines(SyntaxNode body)
    {
        SyntaxToken first = body.DescendantTokens(node => node is not AttributeListSyntax).First(token => token.Parent is not AttributeListSyntax);
        return body.SyntaxTree.GetLineSpan(body.Span).EndLinePosition.Line - first.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
    }

    private static int Fields(TypeDeclarationSyntax type) =>
        type.Members.Sum(member => IsStatic(member) ? 0 : member switch
        {
            BaseFieldDeclarationSyntax fields => fields.Declaration.Variables.Count,
            PropertyDeclarationSyntax property => Stores(property) ? 1 : 0,
            _ => 0,
        })
        + (type.ParameterList?.Parameters.Count(parameter => type is RecordDeclarationSyntax || IsKept(type, parameter.Identifier.Text)) ?? 0);

    private static bool IsStatic(MemberDeclarationSyntax member) => member.Modifiers
        .Any(modifier => modifier.Kind() is SyntaxKind.StaticKeyword or SyntaxKind.ConstKeyword or SyntaxKind.AbstractKeyword);

    private static bool Stores(PropertyDeclarationSyntax property) => property.AccessorList is { } accessors
        && (accessors.Accessors.Any(accessor => accessor.Body is null && accessor.ExpressionBody is null)
            || accessors.DescendantNodes().OfType<FieldExpressionSyntax>().Any());

    /// <summary>Whether a parameter of the primary constructor is read by a member after construction, for which the compiler keeps it in a field.</summary>
    private static bool IsKept(TypeDeclarationSyntax type, string parameter) => type.DescendantNodes().OfType<IdentifierNameSyntax>()
        .Any(name => name.Identifier.Text == parameter && !IsNameOfAMember(name) && !IsInitializer(name, type));

    private static bool IsNameOfAMember(IdentifierNameSyntax name) =>
        name.Parent is NameColonSyntax || (name.Parent is MemberAccessExpressionSyntax access && access.Name == name);

    private static bool IsInitializer(SyntaxNode name, TypeDeclarationSyntax type) => name.AncestorsAndSelf().TakeWhile(node => node != type)
        .Any(node => node is BaseListSyntax or BaseFieldDeclarationSyntax or TypeDeclarationSyntax
            or EqualsValueClauseSyntax { Parent: PropertyDeclarationSyntax });

    private static string NameOf(SyntaxNode node)
    {
        string own = node switch
        {
            MethodDeclarationSyntax method => method.Identifier.Text,
            ConstructorDeclarationSyntax constructor => $"{constructor.Modifiers} constructor".TrimStart(),
            DestructorDeclarationSyntax => "finalizer",
            OperatorDeclarationSyntax one => $"operator {one.OperatorToken.Text}",
            ConversionOperatorDeclarationSyntax one => $"operator {one.Type}",
            PropertyDeclarationSyntax property => property.Identifier.Text,
            EventDeclarationSyntax one => one.Identifier.Text,
            IndexerDeclarationSyntax => "this[]",
            AccessorDeclarationSyntax accessor => accessor.Keyword.Text,
            LocalFunctionStatementSyntax local => local.Identifier.Text,
            AnonymousFunctionExpressionSyntax => "lambda",
            BaseTypeDeclarationSyntax type => type.Identifier.Text,
            _ => "",
        };
        SyntaxNode? around = node.Ancestors()
            .FirstOrDefault(one => one is BaseMethodDeclarationSyntax or BasePropertyDeclarationSyntax or TypeDeclarationSyntax);
        return around is null ? own : $"{NameOf(around)}.{own}";
    }
}
