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

    private static readonly string Built =
        typeof(FootprintTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "Command").Value!;

    [LinuxFact]
    public async Task MessageOf32MiBEachWayKeepsResidentMemoryBelow120Megabytes()
    {
        const int size = 32 * 1024 * 1024;
        byte[] block = new byte[1024 * 1024];
        block.AsSpan().Fill((byte)'y');
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            exchange.Http.Response.ContentType = "application/json";
            Stream body = exchange.Http.Response.Body;
            await body.WriteAsync(Encoding.UTF8.GetBytes("""{"jsonrpc":"2.0","id":1,"result":{"text":""" + "\""));
            for (int i = 0; i < size / block.Length; i++)
            {
                await body.WriteAsync(block);
            }

            await body.WriteAsync("\"}}"u8.ToArray());
        });
        using Process command = Process.Start(new ProcessStartInfo("dotnet", [Built, "stdio", "name", "--target-uri", server.Address.AbsoluteUri])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Stream input = command.StandardInput.BaseStream;
        await input.WriteAsync(Encoding.UTF8.GetBytes("""{"jsonrpc":"2.0","id":1,"method":"m","params":{"text":""" + "\""));
        for (int i = 0; i < size / block.Length; i++)
        {
            await input.WriteAsync(block);
        }

        await input.WriteAsync("\"}}\n"u8.ToArray());
        await input.FlushAsync();
        string? answer = await command.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2));
        double peak = PeakMegabytes(command.Id);
        command.StandardInput.Close();
        await command.WaitForExitAsync();

        Assert.Equal(size, answer!.Count(character => character == 'y'));
        Assert.InRange(peak, 1, MostResidentMegabytes);
        Assert.Equal(0, command.ExitCode);
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
