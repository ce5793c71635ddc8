namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>The connections in memory to the bridge's own proxy.</summary>
public sealed class MemoryConnectionTests
{
    [Fact]
    public async Task WhatWasSentBeforeACutIsReadBeforeItIsNoticed()
    {
        await using PipeStream connection = MemoryConnection.Open(async end =>
        {
            await end.Output.WriteAsync("all of it"u8.ToArray());
            await end.Output.CompleteAsync(new IOException("cut"));
        });
        byte[] buffer = new byte[64];

        Assert.Equal("all of it"u8.Length, await connection.ReadAsync(buffer));
        await Assert.ThrowsAsync<IOException>(async () => Assert.Equal(0, await connection.ReadAsync(buffer)));
    }

    [Fact]
    public async Task EndThatIsNoCutIsAnEnd()
    {
        await using PipeStream connection = MemoryConnection.Open(async end => await end.Output.CompleteAsync());

        Assert.Equal(0, await connection.ReadAsync(new byte[64]));
    }
}
