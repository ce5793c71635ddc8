namespace McpProxyFast.Bridge;

/// <summary>Opens a stream of the server's by GET.</summary>
internal static class StreamOpening
{
    /// <param name="parts">What the conversation shares with its transports.</param>
    /// <param name="session">The session that it belongs to; null for none.</param>
    /// <param name="lastId">The last event that has come, to go on behind it; null for none.</param>
    /// <param name="cancellationToken">Closes the stream.</param>
    /// <returns>The response; null if the exchange was cut before one had begun.</returns>
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
