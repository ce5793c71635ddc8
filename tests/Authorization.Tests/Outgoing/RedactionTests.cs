using System.Text;
using McpProxyFast.OAuth.Grants;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public sealed class RedactionTests
{
    /// <summary>Its Base64 has a slash, and so another form in the alphabet for URLs.</summary>
    private const string Secret = "s3cr%t/ü +A??>";

    private const string Token = "gho_16C7e42F292c6912E7710c838347Ae178B4a";

    public static TheoryData<string> Spellings() =>
    [
        Secret,
        Uri.EscapeDataString(Secret),
        Uri.EscapeDataString(Secret).Replace("%C3%BC", "%c3%bc", StringComparison.Ordinal),
        Uri.EscapeDataString(Uri.EscapeDataString(Secret)),
        Uri.EscapeDataString(Secret).Replace("%20", "+", StringComparison.Ordinal),
        string.Concat(Encoding.UTF8.GetBytes(Secret).Select(value => $"%{value:x2}")),
        string.Concat(Encoding.UTF8.GetBytes(Secret).Select(value => $"%{value:X2}")),
        Secret.Replace("/", "%2f", StringComparison.Ordinal),
        Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret)),
        Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret)).TrimEnd('=').Replace('+', '-').Replace('/', '_'),
    ];

    [Theory]
    [MemberData(nameof(Spellings))]
    public void SecretIsTakenOutInEverySpelling(string spelling)
    {
        var redaction = new Redaction();
        redaction.Add(Secret);

        Assert.Matches("^it was '\\(redacted\\)=*', they say$", redaction.Of($"it was '{spelling}', they say"));
    }

    [Theory]
    [InlineData("https://login.example/token?key=s3cr%20t&v=1#part", "s3cr t")]
    [InlineData("https://login.example/token?s3cret-alone", "s3cret-alone")]
    [InlineData("https://login.example/token?a=b=s3cret", "b=s3cret")]
    public void ValuesInAQueryAreTakenOut(string url, string value)
    {
        var redaction = new Redaction();
        redaction.AddQueryOf(url);

        Assert.Equal("1: (redacted)", redaction.Of($"1: {value}"));
        Assert.True(redaction.IsIn(value));
        Assert.False(redaction.IsIn("https://login.example/token"));
    }

    /// <summary>A server knows the tokens that it has given out, and may write nearly the same all over its message. Without a bound this takes minutes.</summary>
    [Fact]
    public void TextIsSearchedUpToABound()
    {
        var redaction = new Redaction();
        redaction.Add(new string('a', 500_000));

        string shown = redaction.Of(new string('b', 20_000))!;

        Assert.Equal(new string('b', 8 * 1024), shown);
    }

    [Fact]
    public void SecretAtTheBoundIsTakenOutThoughItsEndIsBeyond()
    {
        var redaction = new Redaction();
        redaction.Add(string.Concat(Enumerable.Range(0, 4_000).Select(number => $"{number},")));
        string secret = string.Concat(Enumerable.Range(0, 4_000).Select(number => $"{number},"));

        string shown = redaction.Of(new string('b', 100) + secret)!;

        Assert.Equal(new string('b', 100) + "(redacted)", shown);
    }

    public static TheoryData<string, string> Parts() => new()
    {
        { Token[..20], "(redacted)" },
        { $"it begins with {Token[..20]}...", "it begins with (redacted)..." },
        { $"...{Token[13..33]}... is in it", "...(redacted)... is in it" },
        { $"it ends with {Token[^12..]}", "it ends with (redacted)" },
        { $"{Token[..20]} to {Token[^20..]}", "(redacted) to (redacted)" },
        { Token[..20] + Token[25..], "(redacted)" },
        { $"'{Token[..12]}'", "'(redacted)'" },
        { $"'{Percent(Token[..20])}'", "'(redacted)'" },
        { $"'{Uri.EscapeDataString(Percent(Token[7..20]))}'", "'(redacted)'" },
        { $"'{Convert.ToBase64String(Encoding.UTF8.GetBytes(Token))[..25]}'", "'(redacted)'" },
        { $"ü{Token[..20]}ü", "ü(redacted)ü" },
    };

    /// <summary>A server may show how a token begins or ends, so that a person can tell which one it means. Whoever reads it has a part of the token.</summary>
    [Theory]
    [MemberData(nameof(Parts))]
    public void PartOfASecretIsTakenOut(string text, string shown)
    {
        var redaction = new Redaction();
        redaction.Add(Token, "client secret with blanks");

        Assert.Equal(shown, redaction.Of(text));
        Assert.True(redaction.IsIn(text));
    }

    [Theory]
    [InlineData("secret+with+blanks", "(redacted)")]
    [InlineData("secret%20with%20blanks", "(redacted)")]
    [InlineData("cret with blank", "(redacted)")]
    public void PartWithBlanksIsTakenOutHoweverTheyAreSpelled(string text, string shown)
    {
        var redaction = new Redaction();
        redaction.Add("client secret with blanks");

        Assert.Equal(shown, redaction.Of(text));
    }

    /// <summary>A word of eleven characters may stand in both by chance.</summary>
    [Fact]
    public void ShortCoincidenceStays()
    {
        string text = $"{Token[..11]} {Token[20..31]} {Token[^11..]} {Percent(Token[..11])}";
        var redaction = new Redaction();
        redaction.Add(Token);

        Assert.Equal(text, redaction.Of(text));
        Assert.False(redaction.IsIn(text));
    }

    [Fact]
    public void CharacterOfSeveralBytesIsShownWholeOrNotAtAll()
    {
        var redaction = new Redaction();
        redaction.Add("0123456789abé tail of the secret", "ũ head of the other");

        Assert.Equal("(redacted) (redacted)", redaction.Of("0123456789abê é head of the oth"));
    }

    /// <summary>Each of 8,000 places begins a run that both secrets have. Compared run by run, that is as much work as any other text.</summary>
    [Fact]
    public void TextThatNearlyRepeatsALongSecretIsSearchedOnce()
    {
        var redaction = new Redaction();
        redaction.Add(new string('a', 500_000) + "b", new string('a', 500_000) + "c");

        Assert.Equal("x(redacted)", redaction.Of("x" + new string('a', 8_000)));
    }

    [Fact]
    public void OtherTextStays()
    {
        var redaction = new Redaction();
        redaction.Add(Secret, null, "");

        Assert.Equal("100 % of %zz and %2", redaction.Of("100 % of %zz and %2"));
        Assert.Null(redaction.Of(null));
    }

    private static string Percent(string text) => string.Concat(Encoding.UTF8.GetBytes(text).Select(value => $"%{value:X2}"));
}
