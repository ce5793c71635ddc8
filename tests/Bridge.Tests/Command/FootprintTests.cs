using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Command;

/// <summary>What the command takes of its machine.</summary>
public sealed class FootprintTests
{
    private const int MostResidentMegabytes = 120;

    private const int Size = 32 * 1024 * 1024;

    private static readonly string Built =
        typeof(FootprintTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "Command").Value!;

    private static readonly byte[] Block = [.. Enumerable.Repeat((byte)'y', 1024 * 1024)];

    [LinuxFact]
    public async Task MessageOf32MiBEachWayKeepsResidentMemoryBelow120Megabytes()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(AnswerAsync);

        Assert.InRange(await PeakAsync(server), 1, MostResidentMegabytes);
    }

    [LinuxFact]
    public async Task MessageOf32MiBEachWayBetweenErasKeepsResidentMemoryBelow120Megabytes()
    {
        await using ScriptedServer server = await ScriptedServer.StartModernAsync(AnswerAsync);

        Assert.InRange(await PeakAsync(server, Lines.Initialize(), Lines.Initialized), 1, MostResidentMegabytes);
    }

    [LinuxFact]
    public async Task MessageOf32MiBEachWayBetweenErasAnsweredByAnEventKeepsResidentMemoryBelow120Megabytes()
    {
        await using ScriptedServer server = await ScriptedServer.StartModernAsync(AnswerByEventAsync);

        Assert.InRange(await PeakAsync(server, Lines.Initialize(), Lines.Initialized), 1, MostResidentMegabytes);
    }

    /// <summary>Sends a large message after what comes before it, and takes its large answer.</summary>
    private static async Task<double> PeakAsync(ScriptedServer server, string? handshake = null, string? initialized = null)
    {
        using Process command = Process.Start(new ProcessStartInfo("dotnet", [Built, "stdio", "name", "--target-uri", server.Address.AbsoluteUri])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Stream input = command.StandardInput.BaseStream;
        if (handshake is not null)
        {
            await input.WriteAsync(Encoding.UTF8.GetBytes(handshake + "\n"));
            await input.FlushAsync();
            Assert.NotNull(await command.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2)));
            await input.WriteAsync(Encoding.UTF8.GetBytes(initialized + "\n"));
        }

        await input.WriteAsync(Encoding.UTF8.GetBytes("""{"jsonrpc":"2.0","id":1,"method":"m","params":{"text":""" + "\""));
        for (int i = 0; i < Size / Block.Length; i++)
        {
            await input.WriteAsync(Block);
        }

        await input.WriteAsync("\"}}\n"u8.ToArray());
        await input.FlushAsync();
        string? answer = await command.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2));
        double peak = PeakMegabytes(command.Id);
        command.StandardInput.Close();
        await command.WaitForExitAsync();
        Assert.Equal(Size, answer!.Count(character => character == 'y'));
        Assert.Equal(0, command.ExitCode);
        return peak;
    }

    private static async Task AnswerAsync(Exchange exchange)
    {
        exchange.Http.Response.ContentType = "application/json";
        await WriteAnswerAsync(exchange.Http.Response.Body);
    }

    private static async Task AnswerByEventAsync(Exchange exchange)
    {
        exchange.Http.Response.ContentType = "text/event-stream";
        Stream body = exchange.Http.Response.Body;
        await body.WriteAsync("data: "u8.ToArray());
        await WriteAnswerAsync(body);
        await body.WriteAsync("\n\n"u8.ToArray());
    }

    private static async Task WriteAnswerAsync(Stream body)
    {
        await body.WriteAsync(Encoding.UTF8.GetBytes("""{"jsonrpc":"2.0","id":1,"result":{"text":""" + "\""));
        for (int i = 0; i < Size / Block.Length; i++)
        {
            await body.WriteAsync(Block);
        }

        await body.WriteAsync("\"}}"u8.ToArray());
    }

    /// <summary>The most memory that a process has had resident (proc(5)).</summary>
    private static double PeakMegabytes(int process)
    {
        string line = File.ReadLines($"/proc/{process}/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1000.0;
    }
}

/// <summary>A test that reads <c>/proc</c>.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute() => Skip = OperatingSystem.IsLinux() ? null : "It reads /proc, which is Linux's.";
}
