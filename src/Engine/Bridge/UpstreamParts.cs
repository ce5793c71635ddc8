namespace McpProxyFast.Bridge;

/// <summary>What the transports of one conversation (one client and one server) share.</summary>
/// <param name="Link">Sends requests to the server.</param>
/// <param name="Delivery">Sends messages to the client.</param>
/// <param name="Large">Bounds the memory of large messages from the server.</param>
/// <param name="Ending">Cancelled to close every exchange with the server.</param>
internal sealed record UpstreamParts(ProxyLink Link, Delivery Delivery, LargeMessages Large, CancellationToken Ending)
{
    /// <summary>The cookies that the server has set in this conversation.</summary>
    private readonly CookieJar _cookies = new(Delivery.Settings.Target, Delivery.Settings.Clock);

    public BridgeSettings Settings => Delivery.Settings;

    /// <summary>Sends a request with the cookies for its path, and keeps the cookies that the response sets.</summary>
    /// <param name="request">A request to <see cref="ProxyLink.Target"/>, or to another path of its origin.</param>
    /// <param name="cancellationToken">Closes the exchange.</param>
    /// <returns>The response, as soon as its head has been received.</returns>
    /// <exception cref="HttpRequestException">The connection ended before a response had begun.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _cookies.AddTo(request);
        HttpResponseMessage response = await Link.SendAsync(request, cancellationToken).ConfigureAwait(false);
        _cookies.Note(request, response);
        return response;
    }
}
