namespace McpProxyFast.Bridge;

/// <summary>What client and server have agreed on in an <c>initialize</c> (revisions up to 2025-11-25).</summary>
/// <param name="Id">The value of the header <c>Mcp-Session-Id</c>; null if the server keeps no sessions.</param>
/// <param name="Version">The protocol revision; null if the server named no valid one.</param>
internal sealed record Session(string? Id, string? Version)
{
    /// <summary>The first revision in which requests have the header <c>MCP-Protocol-Version</c>.</summary>
    private const string FirstWithVersionField = "2025-06-18";

    /// <summary>Adds the session's headers to a request.</summary>
    public void AddTo(HttpRequestMessage request)
    {
        if (Id is not null)
        {
            request.Headers.TryAddWithoutValidation("Mcp-Session-Id", Id);
        }

        if (Version is not null && string.CompareOrdinal(Version, FirstWithVersionField) >= 0)
        {
            request.Headers.TryAddWithoutValidation("MCP-Protocol-Version", Version);
        }
    }

    /// <summary>Returns the session id in a response's headers; null if there is none, or it is not visible ASCII, which MCP demands.</summary>
    public static string? IdOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Mcp-Session-Id", out IEnumerable<string>? values)
        && values.ToArray() is [{ Length: > 0 } id]
        && !id.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? id
            : null;
}
