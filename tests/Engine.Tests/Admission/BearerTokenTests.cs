using System.Text;
using McpProxyFast.Admission;
using Xunit;

namespace McpProxyFast.Engine.Tests.Admission;

public sealed class BearerTokenTests
{
    [Theory]
    [InlineData("Bearer abc.def-ghi_jkl~mno+pqr/stu==", "abc.def-ghi_jkl~mno+pqr/stu==")]
    [InlineData("bearer abc", "abc")]
    [InlineData("BEARER   abc", "abc")]
    public void TokenIsFoundWhateverTheSchemesCase(string value, string expected)
    {
        Assert.Equal(BearerRead.Token, BearerToken.Read(Encoding.Latin1.GetBytes(value), out ReadOnlySpan<byte> token));
        Assert.Equal(expected, Encoding.Latin1.GetString(token));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Basic dXNlcjpwYXNz")]
    [InlineData("BearerX abc")]
    [InlineData("Bearerabc")]
    [InlineData("DPoP abc")]
    public void OtherSchemeIsNoCredential(string value) =>
        Assert.Equal(BearerRead.None, BearerToken.Read(Encoding.Latin1.GetBytes(value), out _));

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer    ")]
    [InlineData("Bearer ===")]
    [InlineData("Bearer abc def")]
    [InlineData("Bearer abc,def")]
    [InlineData("Bearer abc, Bearer def")]
    [InlineData("Bearer \"abc\"")]
    [InlineData("Bearer a=b")]
    [InlineData("Bearer \tabc")]
    [InlineData("Bearer abc\t")]
    [InlineData("Bearer abcé")]
    [InlineData("Bearer abc\0")]
    public void WhatIsNoTokenIsMalformed(string value)
    {
        Assert.Equal(BearerRead.Malformed, BearerToken.Read(Encoding.Latin1.GetBytes(value), out ReadOnlySpan<byte> token));
        Assert.True(token.IsEmpty);
    }

    [Theory]
    [InlineData(BearerToken.MaxBytes, true)]
    [InlineData(BearerToken.MaxBytes + 1, false)]
    [InlineData(1024 * 1024, false)]
    public void TokenIsBounded(int length, bool taken)
    {
        byte[] value = [.. "Bearer "u8, .. Enumerable.Repeat((byte)'a', length)];

        Assert.Equal(taken ? BearerRead.Token : BearerRead.Malformed, BearerToken.Read(value, out _));
    }
}
