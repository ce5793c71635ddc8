using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using McpProxyFast.Outcomes;

namespace McpProxyFast.House.Tests;

/// <summary>Every property of <see cref="ProxyLimits"/> is finite: its default lies inside its range, and what lies outside is refused by name.</summary>
public sealed partial class LimitTests
{
    public static TheoryData<string> Names() =>
        [.. typeof(ProxyLimits).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => property.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void DefaultIsAccepted(string name)
    {
        PropertyInfo property = typeof(ProxyLimits).GetProperty(name)!;
        object byDefault = property.GetValue(new ProxyLimits())!;
        Assert.Equal(byDefault, Set(property, byDefault));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ValueBelowTheRangeIsRefusedByName(string name) => ExpectRefused(name, Convert(name, -1));

    [Theory]
    [MemberData(nameof(Names))]
    public void LargestValueIsRefusedByName(string name) => ExpectRefused(name, typeof(ProxyLimits).GetProperty(name)!.PropertyType switch
    {
        var type when type == typeof(int) => int.MaxValue,
        var type when type == typeof(long) => long.MaxValue,
        _ => TimeSpan.MaxValue,
    });

    [Theory]
    [MemberData(nameof(Names))]
    public void DocumentationStatesRangeAndDefault(string name)
    {
        string source = File.ReadAllText(Path.Combine(SourceTree.Engine, "ProxyLimits.cs"));
        int property = source.IndexOf($" {name} {{ get;", StringComparison.Ordinal);
        int value = source.LastIndexOf("<value>", property, StringComparison.Ordinal);
        Assert.Matches(Documented(), source[value..property]);
    }

    [Fact]
    public void RefusalStatesTheDefaultOfItsLimit()
    {
        var limits = new ProxyLimits();
        Assert.Contains($"by default {limits.MaxRequestLineBytes / 1024} KiB", Refusal.For(RefusalReason.TargetTooLong).Sentence, StringComparison.Ordinal);
        Assert.Contains($"by default {limits.MaxFields}", Refusal.For(RefusalReason.TooManyFields).Sentence, StringComparison.Ordinal);
        Assert.Contains($"by default {limits.MaxHeadBytes / 1024} KiB", Refusal.For(RefusalReason.HeadTooLarge).Sentence, StringComparison.Ordinal);
        Assert.Contains($"{limits.MaxChunkOverheadBytes / 1024} KiB each", Refusal.For(RefusalReason.ChunkOverheadTooLarge).Sentence, StringComparison.Ordinal);
    }

    private static void ExpectRefused(string name, object value)
    {
        PropertyInfo property = typeof(ProxyLimits).GetProperty(name)!;
        TargetInvocationException refused = Assert.Throws<TargetInvocationException>(() => Set(property, value));
        ArgumentOutOfRangeException cause = Assert.IsType<ArgumentOutOfRangeException>(refused.InnerException);
        Assert.Equal(name, cause.ParamName);
        Assert.Contains("must lie between", cause.Message, StringComparison.Ordinal);
    }

    private static object Set(PropertyInfo property, object value)
    {
        var limits = new ProxyLimits();
        property.SetValue(limits, value);
        return property.GetValue(limits)!;
    }

    private static object Convert(string name, int value)
    {
        Type type = typeof(ProxyLimits).GetProperty(name)!.PropertyType;
        return type == typeof(TimeSpan) ? TimeSpan.FromSeconds(value) : System.Convert.ChangeType(value, type, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"<value>[0-9][^.]* to [0-9][\s\S]*[Dd]efault")]
    private static partial Regex Documented();
}
