using McpProxyFast.Admission;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>Reads the bearer token from a request's <c>Authorization</c> field.</summary>
internal static class PresentedToken
{
    /// <param name="request">The request.</param>
    /// <param name="token">The token if the request has one: a slice of its head.</param>
    /// <returns>Why the request must be refused; None if it has one well-formed token.</returns>
    public static RefusalReason Read(RequestHead request, out ReadOnlySpan<byte> token)
    {
        token = default;
        Occurrence found = request.Fields.Single(KnownField.Authorization, out int line);
        if (found is not Occurrence.Once)
        {
            return found is Occurrence.Never ? RefusalReason.CredentialsMissing : RefusalReason.AuthorizationRepeated;
        }

        return BearerToken.Read(request.Value(request.Fields.Slots[line]), out token) switch
        {
            BearerRead.Token => RefusalReason.None,
            BearerRead.Malformed => RefusalReason.TokenInvalid,
            _ => RefusalReason.CredentialsMissing,
        };
    }
}
