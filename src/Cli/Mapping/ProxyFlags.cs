using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Options;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Mapping;

/// <summary>Maps the flags of the verb <c>proxy</c> to the engine's options. The incoming and the outgoing policy are mapped in files of their own.</summary>
internal static class ProxyFlags
{
    /// <exception cref="UsageException">A flag has a value that the engine cannot use.</exception>
    public static McpProxyOptions ToEngine(ProxyOptions options, Settings settings, ILogger logger)
    {
        X509Certificate2Collection? trusted = Certificates(options.CaFile);
        return new McpProxyOptions
        {
            Listen = Endpoint(options.Host, options.Port),
            ListensOnBothLoopbacks = IsLocalhost(options.Host),
            Target = Target(options.TargetUri),
            Limits = LimitFlags.Read(options),
            AllowedOrigins = [.. options.AllowedOrigins],
            AllowedHosts = [.. options.AllowedHosts],
            CorsOrigins = [.. options.CorsOrigins],
            ForwardedFields = Forwarded(options.XForwarded),
            Incoming = IncomingFlags.ToPolicy(options, settings),
            Outgoing = ExchangeFlags.Around(OutgoingFlags.ToPolicy(options), options, settings),
            TrustedCertificates = trusted,
            CollectsAfterBursts = true,
            Wording = OptionNames.ToFlags,
            Logger = logger,
        };
    }

    /// <summary>Whether the host is <c>localhost</c>, which some programs resolve to 127.0.0.1 and others to ::1.</summary>
    private static bool IsLocalhost(string host) => host.Equals("localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns the address to listen on. A name stands for its first address, <c>localhost</c> for the loopback address of IPv4.</summary>
    /// <exception cref="UsageException">The name is unknown, or the port is not a valid one.</exception>
    public static IPEndPoint Endpoint(string host, int port)
    {
        if (port is < IPEndPoint.MinPort or > IPEndPoint.MaxPort)
        {
            throw new UsageException($"--port must be a number from 0 to 65535, not {port}");
        }

        if (IsLocalhost(host))
        {
            return new IPEndPoint(IPAddress.Loopback, port);
        }

        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            return new IPEndPoint(address, port);
        }

        try
        {
            return new IPEndPoint(Dns.GetHostAddresses(host)[0], port);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new UsageException($"--host must be an IP address of this machine, or a host name that resolves to one, not '{host}'");
        }
    }

    /// <exception cref="UsageException">The text is not a URL of an MCP server.</exception>
    public static Uri Target(string text)
    {
        Uri target = FlagValue.Url("target-uri", text);

        // RFC 9110 §4.2.4 deprecates a user name and password in a URL. They would also end up in logs.
        return target.UserInfo.Length == 0 && target.Fragment.Length == 0
            ? target
            : throw new UsageException("--target-uri must not contain a user name, a password or a fragment");
    }

    /// <summary>Returns the certificates in a PEM file, which are trusted besides the system's; null if no file is given.</summary>
    /// <exception cref="UsageException">The file cannot be read, or has no certificate.</exception>
    public static X509Certificate2Collection? Certificates(string? path)
    {
        if (path is null)
        {
            return null;
        }

        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPemFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new UsageException($"--ca-file: {path} cannot be read as PEM certificates");
        }

        return certificates.Count > 0 ? certificates : throw new UsageException($"--ca-file: {path} holds no PEM certificate");
    }

    private static ForwardedFields Forwarded(string? mode) => mode switch
    {
        null => ForwardedFields.Automatic,
        "set" => ForwardedFields.Set,
        "append" => ForwardedFields.Append,
        "off" => ForwardedFields.Off,
        _ => throw new UsageException($"--x-forwarded must be set, append or off, not '{mode}'"),
    };
}
