using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace McpProxyFast.House.Tests.Reading;

/// <summary>Writes down what a host can see of an assembly: a line for each type, and below it, indented, one for each member, as C# declares them.</summary>
internal static class PublicSurface
{
    private const string Indent = "    ";

    private static readonly SymbolDisplayFormat Shown = new(
        SymbolDisplayGlobalNamespaceStyle.Omitted,
        SymbolDisplayTypeQualificationStyle.NameAndContainingTypes,
        SymbolDisplayGenericsOptions.IncludeTypeParameters | SymbolDisplayGenericsOptions.IncludeTypeConstraints | SymbolDisplayGenericsOptions.IncludeVariance,
        SymbolDisplayMemberOptions.IncludeParameters | SymbolDisplayMemberOptions.IncludeType | SymbolDisplayMemberOptions.IncludeModifiers
            | SymbolDisplayMemberOptions.IncludeAccessibility | SymbolDisplayMemberOptions.IncludeConstantValue | SymbolDisplayMemberOptions.IncludeRef,
        parameterOptions: SymbolDisplayParameterOptions.IncludeType | SymbolDisplayParameterOptions.IncludeName
            | SymbolDisplayParameterOptions.IncludeDefaultValue | SymbolDisplayParameterOptions.IncludeParamsRefOut,
        propertyStyle: SymbolDisplayPropertyStyle.ShowReadWriteDescriptor,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.UseSpecialTypes | SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier
            | SymbolDisplayMiscellaneousOptions.AllowDefaultLiteral);

    public static IReadOnlyList<string> Of(string assemblyPath)
    {
        MetadataReference assembly = MetadataReference.CreateFromFile(assemblyPath);
        return Of((IAssemblySymbol)SourceUses.Bind([]).AddReferences(assembly).GetAssemblyOrModuleSymbol(assembly)!);
    }

    public static IReadOnlyList<string> Of(IAssemblySymbol assembly) => [.. Types(assembly.GlobalNamespace)
        .Where(IsVisible)
        .OrderBy(type => type.ToDisplayString(Shown), StringComparer.Ordinal)
        .SelectMany(type => Members(type).Order(StringComparer.Ordinal).Select(member => Indent + member).Prepend(Declare(type)))];

    /// <summary>The lines with their type before each member, for comparing and for messages: <c>McpProxy: public void Abort()</c>.</summary>
    public static IEnumerable<string> Flatten(IEnumerable<string> lines)
    {
        string type = "";
        foreach (string line in lines)
        {
            type = line.StartsWith(Indent, StringComparison.Ordinal) ? type : line;
            yield return line == type ? line : $"{type.Split(" : ")[0]}: {line.Trim()}";
        }
    }

    private static IEnumerable<INamedTypeSymbol> Types(INamespaceOrTypeSymbol holder) => holder.GetMembers().OfType<INamespaceOrTypeSymbol>()
        .SelectMany(member => member is INamedTypeSymbol type ? [type, .. Types(type)] : Types(member));

    private static string Declare(INamedTypeSymbol type)
    {
        string kind = type switch
        {
            { IsStatic: true } => "static class",
            { IsRecord: true, TypeKind: TypeKind.Class } => type.IsSealed ? "sealed record" : type.IsAbstract ? "abstract record" : "record",
            { TypeKind: TypeKind.Class } => type.IsSealed ? "sealed class" : type.IsAbstract ? "abstract class" : "class",
            { TypeKind: TypeKind.Struct } => type.IsReadOnly ? "readonly struct" : "struct",
            _ => type.TypeKind.ToString().ToLowerInvariant(),
        };
        IEnumerable<INamedTypeSymbol> bases = type.BaseType is { SpecialType: SpecialType.None } direct ? [direct, .. type.Interfaces] : type.Interfaces;
        string all = string.Join(", ", bases.Where(one => one.Name != "IEquatable" || !type.IsRecord).Select(one => one.ToDisplayString(Shown)));
        return $"public {kind} {type.ToDisplayString(Shown)}{(all.Length > 0 ? " : " : "")}{all}";
    }

    private static IEnumerable<string> Members(INamedTypeSymbol type) => type.GetMembers()
        .Where(member => IsVisible(member) && member is not INamedTypeSymbol and not IMethodSymbol { AssociatedSymbol: not null })
        .Where(member => !IsMadeByCompiler(member, type))
        .Select(Declare);

    private static string Declare(ISymbol member)
    {
        string shown = member.ToDisplayString(Shown);
        return member is IPropertySymbol { SetMethod: { } setter } && !IsVisible(setter)
            ? shown.Replace(setter.IsInitOnly ? " init; " : " set; ", " ", StringComparison.Ordinal)
            : shown;
    }

    private static bool IsVisible(ISymbol symbol) =>
        symbol.DeclaredAccessibility is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal
        && (symbol.ContainingType is null || IsVisible(symbol.ContainingType));

    /// <summary>What every record, struct and enum has; it says nothing that their first word does not.</summary>
    private static bool IsMadeByCompiler(ISymbol member, INamedTypeSymbol type) => member.Name.StartsWith('<')
        || (member is IPropertySymbol { Name: "EqualityContract" } && type.IsRecord)
        || (member is IMethodSymbol { MethodKind: MethodKind.Constructor, Parameters.IsEmpty: true } && type.TypeKind is TypeKind.Struct or TypeKind.Enum)
        || (member is IMethodSymbol && member.GetAttributes().Any(one => one.AttributeClass?.Name == "CompilerGeneratedAttribute"));
}
