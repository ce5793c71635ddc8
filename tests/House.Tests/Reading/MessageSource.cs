using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace McpProxyFast.House.Tests.Reading;

/// <summary>Finds in the source the texts that reach a person: log messages, what exceptions say, what the command prints.</summary>
internal static partial class MessageSource
{
    /// <summary>Calls, besides the making of exceptions, whose texts reach a person.</summary>
    private static readonly string[] Telling = ["Refused", "Transient", "NothingFound", "Unusable", "Invalid", "Saying", "Write", "Print", "Add"];

    /// <summary>The classes whose <see cref="Telling"/> methods are meant.</summary>
    private static readonly string[] Tellers = ["OAuthException", "failure", "log", "Errors", "Output", "Standard"];

    /// <summary>The log messages that a file declares: number, level, name, text.</summary>
    public static IEnumerable<(int Id, string Level, string Name, string Text)> LogMessages(SyntaxNode file) =>
        from method in file.DescendantNodes().OfType<MethodDeclarationSyntax>()
        from attribute in method.AttributeLists.SelectMany(list => list.Attributes)
        where attribute.Name.ToString() == "LoggerMessage"
        let arguments = attribute.ArgumentList!.Arguments
        let id = arguments.First(argument => argument.NameEquals?.Name.ToString() is null or "EventId").Expression.ToString()
        let level = arguments.FirstOrDefault(argument => argument.Expression.ToString().StartsWith("LogLevel.", StringComparison.Ordinal))?.Expression.ToString()
        let text = arguments.SelectMany(argument => Texts(argument.Expression)).First()
        select (int.Parse(id), level?["LogLevel.".Length..].ToLowerInvariant() ?? "as told", method.Identifier.Text, text);

    /// <summary>The calls that log past the list.</summary>
    public static IEnumerable<string> PlainLogCalls(SyntaxNode file) => file.DescendantNodes().OfType<InvocationExpressionSyntax>()
        .Where(call => call.Expression is MemberAccessExpressionSyntax
        {
            Name.Identifier.Text: "LogTrace" or "LogDebug" or "LogInformation" or "LogWarning" or "LogError" or "LogCritical",
        })
        .Select(call => call.ToString());

    /// <summary>What the file's exceptions say, and what it prints: the type or method, and the text with its holes as they stand in the source.</summary>
    public static IEnumerable<(string By, string Text)> Told(SyntaxNode file) =>
    [
        .. file.DescendantNodes().OfType<ObjectCreationExpressionSyntax>()
            .Where(made => made.Type.ToString() is not "UnreachableException" and var type && type.EndsWith("Exception", StringComparison.Ordinal)
                && made.ArgumentList is not null)
            .SelectMany(made => made.ArgumentList!.Arguments.SelectMany(argument => Sentences(argument.Expression)).Select(text => (made.Type.ToString(), text))),
        .. file.DescendantNodes().OfType<ImplicitObjectCreationExpressionSyntax>()
            .Where(made => made.FirstAncestorOrSelf<MethodDeclarationSyntax>()?.ReturnType.ToString().EndsWith("Exception", StringComparison.Ordinal) is true)
            .SelectMany(made => made.ArgumentList.Arguments.SelectMany(argument => Sentences(argument.Expression))
                .Select(text => (made.FirstAncestorOrSelf<MethodDeclarationSyntax>()!.ReturnType.ToString(), text))),
        .. file.DescendantNodes().OfType<InvocationExpressionSyntax>()
            .Where(call => call.Expression is MemberAccessExpressionSyntax member
                && Telling.Contains(member.Name.Identifier.Text)
                && Tellers.Contains(member.Expression.ToString().Split('.')[^1]))
            .SelectMany(call => call.ArgumentList.Arguments.SelectMany(argument => Sentences(argument.Expression))
                .Select(text => (((MemberAccessExpressionSyntax)call.Expression).ToString(), text))),
    ];

    /// <summary>All other texts of three or more words: sentences that a helper method gets, that a table holds, and the help texts of flags.</summary>
    public static IEnumerable<string> Others(SyntaxNode file) => file.DescendantNodes().OfType<ExpressionSyntax>()
        .Where(text => text is LiteralExpressionSyntax or InterpolatedStringExpressionSyntax or BinaryExpressionSyntax
            && !(text.Parent is BinaryExpressionSyntax sum && sum.IsKind(SyntaxKind.AddExpression))
            && !IsForDevelopers(text))
        .SelectMany(Texts)
        .Where(text => ThreeWords().IsMatch(text));

    private static bool IsForDevelopers(ExpressionSyntax text) =>
        text.FirstAncestorOrSelf<AttributeSyntax>()?.Name.ToString() is "LoggerMessage" or "SuppressMessage" or "UnconditionalSuppressMessage"
        || text.FirstAncestorOrSelf<ObjectCreationExpressionSyntax>()?.Type.ToString() is "UnreachableException"
        || text.FirstAncestorOrSelf<InvocationExpressionSyntax>()?.Expression.ToString().EndsWith("Debug.Assert", StringComparison.Ordinal) is true;

    [GeneratedRegex("[a-z]+ [a-z]+ [a-z]+")]
    private static partial Regex ThreeWords();

    /// <summary>What is said to who brings flags or values from another program: these, and the hint. Rows of tables in the class named here.</summary>
    public static IEnumerable<(string Theirs, string Hint)> Hints(SyntaxNode file) =>
        from row in file.DescendantNodes().OfType<TupleExpressionSyntax>()
        where row.FirstAncestorOrSelf<ClassDeclarationSyntax>()?.Identifier.Text == "ForeignFlags"
        let texts = row.DescendantNodes().OfType<LiteralExpressionSyntax>().Select(literal => literal.Token.ValueText).ToArray()
        select (string.Join(' ', texts[..^1]), texts[^1]);

    /// <summary>Texts of more than one word; what is left are codes and names.</summary>
    private static IEnumerable<string> Sentences(ExpressionSyntax expression) => Texts(expression).Where(text => text.Contains(' '));

    private static IEnumerable<string> Texts(ExpressionSyntax expression) => expression switch
    {
        LiteralExpressionSyntax literal when literal.IsKind(SyntaxKind.StringLiteralExpression) => [literal.Token.ValueText],
        InterpolatedStringExpressionSyntax text => [string.Concat(text.Contents.Select(part => part switch
        {
            InterpolatedStringTextSyntax plain => plain.TextToken.ValueText,
            InterpolationSyntax hole => $"{{{hole.Expression}}}",
            _ => "",
        }))],
        BinaryExpressionSyntax sum when sum.IsKind(SyntaxKind.AddExpression) =>
            [string.Concat(Texts(sum.Left).DefaultIfEmpty($"{{{sum.Left}}}")) + string.Concat(Texts(sum.Right).DefaultIfEmpty($"{{{sum.Right}}}"))],
        ConditionalExpressionSyntax choice => [.. Texts(choice.WhenTrue), .. Texts(choice.WhenFalse)],
        SwitchExpressionSyntax choice => choice.Arms.SelectMany(arm => Texts(arm.Expression)),
        ParenthesizedExpressionSyntax inner => Texts(inner.Expression),
        InvocationExpressionSyntax { ArgumentList.Arguments: [var only], Expression: MemberAccessExpressionSyntax { Name.Identifier.Text: "Of" } } =>
            Texts(only.Expression), // made printable
        _ => [],
    };
}
