namespace McpProxyFast.Bridge;

/// <summary>Opens an event stream of the server with a GET.</summary>
internal static class StreamOpening
{
    /// <param name="parts">What all transports of one client share: the connections to the server and to the client, and the limits.</param>
    /// <param name="session">The session that the stream belongs to; null if there is none.</param>
    /// <param name="lastId">The id of the last event that was received, after which the server continues; null to begin a new stream.</param>
    /// <param name="cancellationToken">Closes the stream.</param>
    /// <returns>The response; null if the connection ended before one had begun.</returns>
    public static async Task<HttpResponseMessage?> GetAsync(UpstreamParts parts, Session? session, string? lastId, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, ProxyLink.Target);
        request.Headers.TryAddWithoutValidation("Accept", "text/event-stream");
        request.Headers.TryAddWithoutValidation("Cache-Control", "no-store");
        session?.AddTo(request);
        if (lastId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastId);
        }

        try
        {
            return await parts.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
