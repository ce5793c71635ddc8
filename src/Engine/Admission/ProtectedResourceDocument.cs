using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>The protected resource's metadata (RFC 9728 §2). A client reads it before it has a token, so a request for it needs no token.</summary>
internal sealed class ProtectedResourceDocument(TokenPolicy policy)
{
    private static readonly byte[] WellKnown = Encoding.ASCII.GetBytes(ResourceNames.WellKnownPath);

    // A server should not list this scope (MCP, authorization). A client that wants a refresh token asks for the scope by itself.
    private const string OfflineAccess = "offline_access";

    /// <summary>The value of <c>scopes_supported</c>. Never changes.</summary>
    private readonly string[] _scopes = [.. policy.AdvertisedScopes.Concat(policy.RequiredScopes).Distinct().Where(scope => scope != OfflineAccess)];

    /// <summary>
    /// The CORS field lines, each with its CRLF, with which a page of any origin can read the document. The response to a preflight has the same lines.
    /// </summary>
    public static ReadOnlySpan<byte> CorsLines =>
        "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: GET, OPTIONS\r\n"u8
        + "Access-Control-Allow-Headers: MCP-Protocol-Version, Content-Type, Accept, Authorization\r\nAccess-Control-Max-Age: 7200\r\n"u8;

    /// <summary>Whether a path is the well-known path, alone or followed by the resource's path.</summary>
    /// <param name="path">The request's path, without query.</param>
    /// <param name="resourcePath">The path of the resource; empty if the resource is the origin itself.</param>
    public static bool Matches(ReadOnlySpan<byte> path, out ReadOnlySpan<byte> resourcePath)
    {
        resourcePath = path.StartsWith(WellKnown) ? path[WellKnown.Length..] : default;
        return path.StartsWith(WellKnown) && (resourcePath.IsEmpty || resourcePath[0] == (byte)'/');
    }

    /// <summary>Returns the document, as JSON in UTF-8.</summary>
    /// <param name="scheme"><c>http</c> or <c>https</c>: that of the listener.</param>
    /// <param name="host">
    /// The request's host; empty if it has none. The resource's identifier is made from it if the operator has set neither
    /// <see cref="TokenPolicy.ResourceUrl"/> nor a public address.
    /// </param>
    /// <param name="resourcePath">The path of the resource, from <see cref="Matches"/>.</param>
    /// <param name="announced">The resource's identifier, if the listener has a public address; otherwise null.</param>
    /// <returns>The document; empty if there is nothing from which the resource's identifier can be made.</returns>
    public ReadOnlyMemory<byte> Write(string scheme, ReadOnlySpan<byte> host, ReadOnlySpan<byte> resourcePath, string? announced = null)
    {
        string? named = policy.ResourceUrl ?? announced;
        if (named is null && host.IsEmpty)
        {
            return default;
        }

        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("resource", named ?? ResourceNames.OfRequest(scheme, host, resourcePath).Resource);
        if (policy is JwtPolicy { Issuer: { } issuer })
        {
            WriteList(json, "authorization_servers", [issuer]);
        }

        WriteList(json, "bearer_methods_supported", ["header"]);
        WriteList(json, "scopes_supported", _scopes);
        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenMemory;
    }

    private static void WriteList(Utf8JsonWriter json, string name, string[] values)
    {
        json.WriteStartArray(name);
        Array.ForEach(values, json.WriteStringValue);
        json.WriteEndArray();
    }
}
