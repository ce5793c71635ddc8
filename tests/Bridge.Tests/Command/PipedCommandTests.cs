using System.Diagnostics;
using System.Reflection;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Command;

/// <summary>What a shell pipes into the command is answered, though stdin is at its end before the handshake is.</summary>
public sealed class PipedCommandTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string Built =
        typeof(PipedCommandTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "Command").Value!;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PipedInputIsAnsweredAndTheCommandEndsWithCode0(bool isJoined)
    {
        Task AnswerAsync(Exchange exchange) => exchange.Id is { } id ? exchange.JsonAsync(Lines.Result(id)) : exchange.StatusAsync(405);
        await using ScriptedServer server =
            isJoined ? await ScriptedServer.StartModernAsync(AnswerAsync) : await ScriptedServer.StartWithHandshakeAsync(AnswerAsync);
        using Process command = Process.Start(new ProcessStartInfo(
            "dotnet", [Built, "stdio", "name", "--target-uri", server.Address.AbsoluteUri, "--drain-timeout", "60s"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

        await command.StandardInput.WriteAsync(string.Join('\n', Lines.Initialize(), Lines.Initialized, Lines.Call("1"), Lines.Call("2")));
        command.StandardInput.Close();
        string answers = await command.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await command.WaitForExitAsync();

        string[] lines = answers.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.Contains("\"protocolVersion\"", lines[0], StringComparison.Ordinal);
        Assert.Equal([Lines.Result("1"), Lines.Result("2")], lines[1..].Order(StringComparer.Ordinal));
        Assert.Equal(0, command.ExitCode);
    }
}
