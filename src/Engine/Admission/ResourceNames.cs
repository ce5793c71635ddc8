using System.Text;

namespace McpProxyFast.Admission;

/// <summary>The identifier of the protected resource, and the URL of its metadata (RFC 9728 §1.2, §3.1).</summary>
internal readonly record struct ResourceNames(string Resource, string MetadataUrl)
{
    /// <summary>The well-known path of the metadata. If the resource's URL has a path, that path is appended.</summary>
    public const string WellKnownPath = "/.well-known/oauth-protected-resource";

    /// <summary>Makes the names from the resource's identifier. The identifier is not changed, since clients compare it byte for byte.</summary>
    public static ResourceNames Of(string resource)
    {
        int hostStart = resource.IndexOf("://", StringComparison.Ordinal) + 3;
        int hostLength = resource.AsSpan(hostStart).IndexOfAny('/', '?');
        int hostEnd = hostLength < 0 ? resource.Length : hostStart + hostLength;
        string path = resource[hostEnd..];
        return new ResourceNames(resource, $"{resource[..hostEnd]}{WellKnownPath}{(path == "/" ? "" : path)}");
    }

    /// <summary>Makes the names from a request. Used if the operator has not set the resource's identifier.</summary>
    /// <param name="scheme"><c>http</c> or <c>https</c>: that of the listener.</param>
    /// <param name="host">The request's host. The parser has checked that it is <c>host[:port]</c>.</param>
    /// <param name="path">The resource's path in ASCII. <c>/</c> and an empty path mean the same.</param>
    public static ResourceNames OfRequest(string scheme, ReadOnlySpan<byte> host, ReadOnlySpan<byte> path) =>
        Of($"{scheme}://{Encoding.ASCII.GetString(host)}{(path.SequenceEqual("/"u8) ? "" : Encoding.ASCII.GetString(path))}");
}
