using System.Security.Cryptography.X509Certificates;
using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.OAuth.Exchange;

/// <summary>Exchanges tokens: sends the requests of one policy and interprets the answers.</summary>
internal sealed class TokenExchanger : IDisposable
{
    /// <summary>Builds the parameters of the request. Never changes.</summary>
    private readonly ExchangeForm _form;

    /// <summary>Sends the requests. Never changes.</summary>
    private readonly OAuthHttp _http;

    /// <summary>Adds client authentication to a request. Never changes.</summary>
    private readonly TokenEndpoint _endpoint;

    /// <summary>The server; only its token endpoint is known. Never changes.</summary>
    private readonly ServerMetadata _server;

    /// <summary>The proxy's client at the server; null if there is none. Never changes.</summary>
    private readonly ClientIdentity? _client;

    /// <summary>The clock for lifetimes. Never changes.</summary>
    private readonly TimeProvider _clock;

    public TokenExchanger(TokenExchangePolicy policy, X509Certificate2Collection? trustAnchors, TimeProvider clock)
    {
        _clock = clock;
        _form = new ExchangeForm(policy);
        _http = new OAuthHttp(policy.TokenUrl, operatorUrls: [], trustAnchors, clock);
        _endpoint = new TokenEndpoint(_http, policy.Client?.KeyPath is { } key ? new ClientKey(key, clock) : null, clock);
        _server = new ServerMetadata { TokenEndpoint = policy.TokenUrl.OriginalString, IsAssumed = true };
        _client = policy.Client is not { } client ? null : new ClientIdentity { Id = client.Id, Secret = client.SecretValue, Method = MethodOf(client) };
    }

    /// <summary>Everything in a request except the tokens, as a text (<see cref="ExchangeForm.Fingerprint"/>).</summary>
    public string Fingerprint => _form.Fingerprint;

    /// <summary>The URL of the token endpoint, for logs.</summary>
    public string Endpoint => Printable.Url(_server.TokenEndpoint!);

    /// <summary>Exchanges a token. Failures are returned, not thrown.</summary>
    /// <param name="subject">The token to exchange.</param>
    /// <param name="actor">The actor's token; null if there is none.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="OperationCanceledException">The request was cancelled.</exception>
    public async Task<ExchangeAnswer> ExchangeAsync(string subject, string? actor, CancellationToken cancellationToken)
    {
        var redaction = new Redaction();
        redaction.Add(subject, actor);
        redaction.AddPossible(_form.Values);
        redaction.AddQueryOf(_server.TokenEndpoint!);
        try
        {
            using var request = new TokenRequest { Address = _server.TokenEndpoint, GrantType = _form.GrantType, Parameters = _form.For(subject, actor) };
            if (_client is not null)
            {
                await _endpoint.AuthenticateAsync(request, _server, _client, redaction, cancellationToken).ConfigureAwait(false);
            }

            using TokenResponse answer = await _http.Invoker.RequestTokenAsync(request, cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            return new ExchangeAnswerReader(redaction, _clock.GetUtcNow()).Read(answer);
        }
        catch (OAuthException failure)
        {
            // The proxy's client key cannot be read, so the operator has to act.
            return new ExchangeAnswer(ExchangeVerdict.Refused, failure.Message);
        }
    }

    public void Dispose() => _http.Dispose();

    private static string MethodOf(TokenExchangeClient client) => client.Kind switch
    {
        TokenExchangeClient.Form.Basic => ClientMethod.Basic,
        TokenExchangeClient.Form.Post => ClientMethod.Post,
        TokenExchangeClient.Form.Key => ClientMethod.PrivateKeyJwt,
        _ => ClientMethod.None,
    };
}
