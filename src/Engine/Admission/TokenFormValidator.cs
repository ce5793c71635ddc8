using System.Text.Json;

namespace McpProxyFast.Admission;

/// <summary>Sends signed JWTs one way and all other tokens the other.</summary>
internal sealed class TokenFormValidator(ITokenValidator jwt, ITokenValidator opaque) : ITokenValidator
{
    public ValueTask<TokenVerdict> ValidateAsync(string token, CancellationToken cancellationToken) =>
        (IsJwt(token) ? jwt : opaque).ValidateAsync(token, cancellationToken);

    private static bool IsJwt(string token)
    {
        try
        {
            return JwtHeader.Read(token) is not null;
        }
        catch (JsonException)
        {
            // A JWT with a malformed header is for the JWT side to refuse.
            return true;
        }
    }
}
