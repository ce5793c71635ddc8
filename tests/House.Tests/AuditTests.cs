using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Xml.Linq;

namespace McpProxyFast.House.Tests;

/// <summary>What the build says of packages with known vulnerabilities, read from a list of our own.</summary>
public sealed class AuditTests : IDisposable
{
    /// <summary>A package that every build of the engine has in its folder already, so nothing is fetched.</summary>
    private const string Package = "Duende.IdentityModel";

    private readonly string _folder = Directory.CreateTempSubdirectory("mcpproxyfast-audit").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task KnownVulnerabilityOfADirectPackageFailsTheRestore()
    {
        using HttpListener feed = Listen(out string address);
        Task serving = ServeAsync(feed, address);

        (int code, string said) = await RestoreAsync(address);

        feed.Stop();
        await serving;
        Assert.True(code != 0, said);
        Assert.Contains($"error NU1901: Warning As Error: Package '{Package}'", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnreachableListOfVulnerabilitiesIsSaidAndFailsNothing()
    {
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // nobody else is given the port

        (int code, string said) = await RestoreAsync($"http://{nobody.LocalEndPoint}/");

        Assert.True(code == 0, said);
        Assert.Contains("warning NU1900", said, StringComparison.Ordinal);
    }

    /// <summary>Restores a project that has the build's own settings and one package.</summary>
    private async Task<(int Code, string Said)> RestoreAsync(string feed)
    {
        string version = XDocument.Load(Path.Combine(SourceTree.Root, "Directory.Packages.props"))
            .Descendants("PackageVersion")
            .Single(package => package.Attribute("Include")!.Value == Package)
            .Attribute("Version")!.Value;
        File.Copy(Path.Combine(SourceTree.Root, "Directory.Build.props"), Path.Combine(_folder, "Directory.Build.props"));
        File.WriteAllText(Path.Combine(_folder, "audited.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk"><ItemGroup><PackageReference Include="{Package}" Version="{version}" /></ItemGroup></Project>
            """);
        File.WriteAllText(Path.Combine(_folder, "nuget.config"), $"""
            <configuration>
              <packageSources><clear /><add key="none" value="{_folder}" /></packageSources>
              <auditSources><clear /><add key="own" value="{feed}index.json" allowInsecureConnections="true" /></auditSources>
            </configuration>
            """);
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["restore", _folder, "-nodeReuse:false"])
        {
            RedirectStandardOutput = true,
            Environment =
            {
                ["DOTNET_CLI_UI_LANGUAGE"] = "en",
                ["NUGET_HTTP_CACHE_PATH"] = Path.Combine(_folder, "cache"),
                ["NUGET_ENHANCED_MAX_NETWORK_TRY_COUNT"] = "1",
            },
        };
        using Process restoring = Process.Start(start)!;
        string said = await restoring.StandardOutput.ReadToEndAsync();
        await restoring.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(5));
        return (restoring.ExitCode, said);
    }

    /// <summary>Answers as a registry that knows one low vulnerability, until it is stopped.</summary>
    private static async Task ServeAsync(HttpListener feed, string address)
    {
        while (feed.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await feed.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            string answer = context.Request.Url!.AbsolutePath switch
            {
                "/index.json" => $$"""{"version":"3.0.0","resources":[{"@id":"{{address}}all.json","@type":"VulnerabilityInfo/6.7.0"}]}""",
                "/all.json" => $$"""[{"@name":"base","@id":"{{address}}base.json","@updated":"2026-11-26T00:00:00Z","comment":""}]""",
                _ => $$"""{"{{Package.ToLowerInvariant()}}":[{"severity":0,"url":"https://example.com/advisory","versions":"(, 999.0.0)"}]}""",
            };
            context.Response.ContentType = "application/json";
            context.Response.Close(Encoding.UTF8.GetBytes(answer), willBlock: false);
        }
    }

    private static HttpListener Listen(out string address)
    {
        // The listener takes no port 0; one that the system has just given is asked for, and another where somebody was faster.
        for (int attempt = 0; ; attempt++)
        {
            using var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/";
            probe.Stop();
            var listener = new HttpListener { Prefixes = { address } };
            try
            {
                listener.Start();
                return listener;
            }
            catch (HttpListenerException) when (attempt < 10)
            {
                listener.Close();
            }
        }
    }
}
