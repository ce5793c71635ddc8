using System.Text.Json.Nodes;

namespace McpProxyFast.Authorization.Tests.Outgoing.Zoo;

/// <summary>What one provider of the zoo has issued: codes, access tokens and refresh tokens. Used by several requests at once.</summary>
internal sealed class ZooGrants(Provider provider, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _codes = [];
    private readonly Dictionary<string, (DateTimeOffset End, string Scope)> _tokens = [];
    private readonly Dictionary<string, string> _refreshTokens = [];
    private int _made;

    /// <summary>A code for an authorization request with these parameters.</summary>
    public string MakeCode(IReadOnlyDictionary<string, string> asked)
    {
        string code = Make("code");
        lock (_lock)
        {
            _codes[code] = asked;
        }

        return code;
    }

    /// <summary>The parameters that the code was made for, once; null for a code that there is not.</summary>
    public IReadOnlyDictionary<string, string>? Redeem(string code)
    {
        lock (_lock)
        {
            _codes.Remove(code, out IReadOnlyDictionary<string, string>? asked);
            return asked;
        }
    }

    /// <summary>A token answer, as RFC 6749 has it.</summary>
    public JsonObject Issue(string scope, bool withRefreshToken)
    {
        string access = Make("access");
        var answer = new JsonObject { ["access_token"] = access, ["token_type"] = "Bearer", ["expires_in"] = 3600, ["scope"] = scope };
        lock (_lock)
        {
            _tokens[access] = (clock.GetUtcNow() + TimeSpan.FromHours(1), scope);
            if (withRefreshToken)
            {
                string refresh = Make("refresh");
                _refreshTokens[refresh] = scope;
                answer["refresh_token"] = refresh;
            }
        }

        return answer;
    }

    /// <summary>The scope of a refresh token, which is over then where the provider rotates them; null for one that there is not.</summary>
    public string? Renew(string refreshToken)
    {
        lock (_lock)
        {
            bool isKnown = _refreshTokens.TryGetValue(refreshToken, out string? scope);
            if (isKnown && provider.Rotates)
            {
                _refreshTokens.Remove(refreshToken);
            }

            return scope;
        }
    }

    /// <summary>The scope of an access token; null for one that there is not, or that is over.</summary>
    public string? ScopeOf(string accessToken)
    {
        lock (_lock)
        {
            return _tokens.TryGetValue(accessToken, out (DateTimeOffset End, string Scope) token) && token.End > clock.GetUtcNow() ? token.Scope : null;
        }
    }

    public void RevokeAccessTokens()
    {
        lock (_lock)
        {
            _tokens.Clear();
        }
    }

    public void Lose()
    {
        lock (_lock)
        {
            _tokens.Clear();
            _refreshTokens.Clear();
        }
    }

    private string Make(string kind) => $"{kind}-{Interlocked.Increment(ref _made)}-{Guid.NewGuid():N}";
}
