namespace McpProxyFast.House.Tests.Reading;

/// <summary>A piece of code: the outermost type that holds it, and the member, as the source names it; empty for the type itself.</summary>
internal readonly record struct CodePlace(string Namespace, string Type, string Member)
{
    public string FullType => Namespace.Length == 0 ? Type : $"{Namespace}.{Type}";

    public override string ToString() => Member.Length == 0 ? Type : $"{Type}.{Member}";
}

/// <summary>One piece of code uses a type, or a member of it.</summary>
/// <param name="By">The code that uses.</param>
/// <param name="Used">What it uses.</param>
/// <param name="IsDirectiveOnly">Whether it is a <c>using</c> of the whole namespace, which by itself uses no type.</param>
internal readonly record struct Use(CodePlace By, CodePlace Used, bool IsDirectiveOnly = false);
