namespace McpProxyFast.Bridge;

/// <summary>What an <c>initialize</c> has agreed on with the server, in revisions up to 2025-11-25.</summary>
/// <param name="Id">What <c>Mcp-Session-Id</c> carries; null if the server keeps no sessions.</param>
/// <param name="Version">The revision; null if the server named none.</param>
internal sealed record Session(string? Id, string? Version)
{
    /// <summary>The first revision that has the field <c>MCP-Protocol-Version</c>.</summary>
    private const string FirstWithVersionField = "2025-06-18";

    /// <summary>Adds the session's fields to a request.</summary>
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

    /// <summary>The session that a response names, if that is one: visible ASCII, as the specification has it.</summary>
    public static string? IdOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Mcp-Session-Id", out IEnumerable<string>? values)
        && values.ToArray() is [{ Length: > 0 } id]
        && !id.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? id
            : null;
}
