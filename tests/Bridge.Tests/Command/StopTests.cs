using System.Diagnostics;
using System.Reflection;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Command;

/// <summary>How the command ends while its client reads nothing.</summary>
public sealed class StopTests
{
    /// <summary>How long a step may take on the slowest machine before the test fails.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string Built =
        typeof(StopTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "Command").Value!;

    [SignalFact]
    public async Task SigTermEndsItWithCode0AndItsSessionThoughNobodyReadsItsStdout()
    {
        await using ScriptedServer server = await ScriptedServer.StartWithHandshakeAsync(exchange => exchange.Id is { } id
            ? exchange.JsonAsync(Lines.Result(id, new string('x', 2 * 1024 * 1024)))
            : exchange.StatusAsync(405));
        using Process command = Process.Start(new ProcessStartInfo("dotnet", [Built, "stdio", "name", "--target-uri", server.Address.AbsoluteUri])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        await SendAsync(command, Lines.Initialize());
        Assert.NotNull(await command.StandardOutput.ReadLineAsync().WaitAsync(Patience));
        await SendAsync(command, Lines.Initialized);
        await SendAsync(command, Lines.Call("1"));
        await server.Journal.SeenAsync("POST tools/call");
        await SendAsync(command, "{ no JSON");
        await SendAsync(command, """{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}""");
        await server.Journal.SeenAsync("POST notifications/roots/list_changed");

        using Process kill = Process.Start("kill", ["-TERM", $"{command.Id}"]);
        await kill.WaitForExitAsync();
        using var patience = new CancellationTokenSource(Patience);
        await command.WaitForExitAsync(patience.Token);

        Assert.Equal(0, command.ExitCode);
        Assert.Single(server.Seen, seen => seen.Verb == "DELETE");
    }

    private static async Task SendAsync(Process command, string line)
    {
        await command.StandardInput.WriteAsync(line + "\n");
        await command.StandardInput.FlushAsync();
    }
}

/// <summary>A test that sends a signal.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SignalFactAttribute : FactAttribute
{
    public SignalFactAttribute() => Skip = OperatingSystem.IsWindows() ? "It sends SIGTERM, which Windows has not." : null;
}
