using System.Text;

namespace McpProxyFast.Admission;

/// <summary>What the protected resource is called, and where its metadata lies (RFC 9728 §1.2, §3.1).</summary>
internal readonly record struct ResourceNames(string Resource, string MetadataUrl)
{
    /// <summary>The well-known path; the resource's own path, if it has one, follows it.</summary>
    public const string WellKnownPath = "/.well-known/oauth-protected-resource";

    /// <summary>By the identifier, which stays as it is written: clients compare it byte for byte.</summary>
    public static ResourceNames Of(string resource)
    {
        int hostStart = resource.IndexOf("://", StringComparison.Ordinal) + 3;
        int hostLength = resource.AsSpan(hostStart).IndexOfAny('/', '?');
        int hostEnd = hostLength < 0 ? resource.Length : hostStart + hostLength;
        string path = resource[hostEnd..];
        return new ResourceNames(resource, $"{resource[..hostEnd]}{WellKnownPath}{(path == "/" ? "" : path)}");
    }

    /// <summary>By what the request says, for a proxy that was not told its public name.</summary>
    /// <param name="scheme"><c>http</c> or <c>https</c>: that of the listener.</param>
    /// <param name="host">The request's host; the parser has let only <c>host[:port]</c> through.</param>
    /// <param name="path">The resource's path, ASCII; <c>/</c> and nothing are the same.</param>
    public static ResourceNames OfRequest(string scheme, ReadOnlySpan<byte> host, ReadOnlySpan<byte> path) =>
        Of($"{scheme}://{Encoding.ASCII.GetString(host)}{(path.SequenceEqual("/"u8) ? "" : Encoding.ASCII.GetString(path))}");
}
