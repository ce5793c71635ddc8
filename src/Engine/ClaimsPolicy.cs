namespace McpProxyFast;

/// <summary>Access tokens of an issuer, whose claims the proxy checks itself: <see cref="JwtPolicy"/> and <see cref="IntrospectionPolicy"/>.</summary>
public abstract record ClaimsPolicy : TokenPolicy
{
    private static readonly TimeSpan MaxClockSkew = TimeSpan.FromMinutes(10);

    private protected ClaimsPolicy()
    {
    }

    /// <summary>Accepted values of <c>aud</c>; one is enough.</summary>
    /// <value>Empty (the default): not checked, which MCP forbids and a warning says.</value>
    /// <exception cref="ArgumentException">One is empty.</exception>
    public IReadOnlyList<string> Audiences
    {
        get;
        init => field = PolicyValue.Checked(value, value.All(audience => audience.Length > 0), nameof(Audiences), "an audience is not empty.");
    } = [];

    /// <summary>Clients whose tokens are accepted: what a token has of <c>client_id</c> and <c>azp</c>, at least one, must be one of them.</summary>
    /// <value>Default none: any client's. With it, a token without <c>aud</c> is accepted too, since some servers write none (Amazon Cognito).</value>
    /// <exception cref="ArgumentException">One is empty.</exception>
    public IReadOnlyList<string> AllowedClients
    {
        get;
        init => field = PolicyValue.Checked(value, value.All(client => client.Length > 0), nameof(AllowedClients), "a client id is not empty.");
    } = [];

    /// <summary>What a token must be for, in words.</summary>
    private protected string Recipients => $"Audiences = [{string.Join(", ", Audiences)}], AllowedClients = [{string.Join(", ", AllowedClients)}]";

    /// <summary>How far the clocks of issuer and proxy may differ.</summary>
    /// <value>0 to 10 min. Default 60 s.</value>
    /// <exception cref="ArgumentException">The value is outside the range.</exception>
    public TimeSpan ClockSkew
    {
        get;
        init => field = PolicyValue.Checked(
            value, value >= TimeSpan.Zero && value <= MaxClockSkew, nameof(ClockSkew), "the clock skew lies between 0 s and 10 min.");
    } = TimeSpan.FromSeconds(60);
}
