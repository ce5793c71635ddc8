using System.Text;
using McpProxyFast.Admission;
using McpProxyFast.Http1;

namespace McpProxyFast.Serving;

/// <summary>Requests that the proxy answers itself, before a token is required.</summary>
internal static class OwnEndpoints
{
    /// <summary>Answers the request, if it is for the proxy.</summary>
    /// <returns>The proxy's answer; null if the request is for the upstream.</returns>
    public static OwnReply? Answer(RequestHead request, SharedServices parts, Entrance entrance)
    {
        if (IsForHealth(request))
        {
            return request.IsGet ? OwnReplies.Health(parts.Clock.GetUtcNow()) : OwnReplies.HealthOnlyByGet;
        }

        if (ProtectedResourceDocument.Matches(request.Path, out ReadOnlySpan<byte> resourcePath) && parts.Tokens is { } tokens)
        {
            return OwnReplies.Metadata(tokens.Document.Write(entrance.Scheme, request.Authority, resourcePath, entrance.Resource), request.IsOptions);
        }

        if (parts.Credentials is not null && IsOAuthDocument(request.Path))
        {
            return OwnReplies.NotFound;
        }

        if (request.IsTrace && (parts.Credentials is not null || parts.AddedFields is not null))
        {
            return OwnReplies.TraceNotAllowed; // the response to a TRACE shows the request as received, including the credential and added fields
        }

        return request.HopsLeft == 0 ? OwnReplies.LastHop : AnswerPreflight(request, parts.Cors);
    }

    /// <summary>Whether the request is for the health endpoint, which answers every client, whatever host the request names.</summary>
    public static bool IsForHealth(RequestHead request) => request.Path.SequenceEqual("/health"u8);

    /// <summary>Whether the path is that of OAuth metadata. With it, an MCP client would sign in by itself, although the proxy does that for it.</summary>
    private static bool IsOAuthDocument(ReadOnlySpan<byte> path) =>
        path.StartsWith("/.well-known/oauth-"u8) || path.StartsWith("/.well-known/openid-configuration"u8);

    private static OwnReply? AnswerPreflight(RequestHead request, CorsRule cors)
    {
        bool isPreflight = cors.IsOn && request.IsOptions && request.Fields.Has(KnownField.AccessControlRequestMethod);
        return isPreflight
            && cors.TryAnswerPreflight(
                request.Value(KnownField.Origin), request.Value(KnownField.AccessControlRequestHeaders), out ReadOnlyMemory<byte> lines)
            ? new OwnReply(204, OwnReply.Text, [], Encoding.ASCII.GetString(lines.Span))
            : null;
    }
}
