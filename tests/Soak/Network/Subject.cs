using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace McpProxyFast.Soak.Network;

/// <summary>A proxy as a process of its own: the command, whose standard error nobody reads, or nginx.</summary>
internal sealed partial class Subject : IDisposable
{
    private readonly Process _process;

    private Subject(string name, Process process, IPEndPoint address) => (Name, _process, Address) = (name, process, address);

    public string Name { get; }

    public IPEndPoint Address { get; }

    /// <summary>Starts the command for a target and waits until it listens.</summary>
    /// <param name="command">A native file, or a <c>.dll</c>.</param>
    /// <param name="target">The address of the upstream.</param>
    public static async Task<Subject> StartCommandAsync(string command, Uri target)
    {
        bool isNative = !command.EndsWith(".dll", StringComparison.Ordinal);
        var start = new ProcessStartInfo(isNative ? command : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true, // a pipe: it fills up, and the command must not care
        };
        string[] arguments = ["proxy", "soak", "--target-uri", target.ToString(), "--host", "127.0.0.1", "--port", "0"];
        foreach (string argument in (string[])[.. isNative ? [] : (string[])[command], .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        Process process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            Match match = Listening().Match(line);
            if (match.Success)
            {
                return new Subject("mcpproxyfast", process, new IPEndPoint(IPAddress.Loopback, int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)));
            }
        }

        throw new InvalidOperationException("The command has ended without saying where it listens.");
    }

    /// <summary>Starts nginx for an upstream, with connections kept to it.</summary>
    /// <returns>Null where nginx is not installed.</returns>
    public static async Task<Subject?> StartNginxAsync(string host, int port)
    {
        if (!File.Exists("/usr/sbin/nginx"))
        {
            return null;
        }

        var address = new IPEndPoint(IPAddress.Loopback, 18080); // the namespace has nobody else on it
        string folder = Directory.CreateTempSubdirectory("soak-nginx").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "nginx.conf"), $$"""
            daemon off;
            worker_processes 1;
            pid {{folder}}/pid;
            error_log /dev/null;
            events { worker_connections 4096; }
            http {
              access_log off;
              client_body_temp_path {{folder}};
              proxy_temp_path {{folder}};
              upstream target { server {{host}}:{{port}}; keepalive 256; }
              server {
                listen {{address}};
                location / {
                  proxy_pass http://target;
                  proxy_http_version 1.1;
                  proxy_set_header Connection "";
                  proxy_buffering off;
                }
              }
            }
            """);
        var start = new ProcessStartInfo("/usr/sbin/nginx") { RedirectStandardError = true };
        start.ArgumentList.Add("-p");
        start.ArgumentList.Add(folder);
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Path.Combine(folder, "nginx.conf"));
        return new Subject("nginx", Process.Start(start)!, address);
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    [GeneratedRegex(" on port ([0-9]+)")]
    private static partial Regex Listening();
}
