namespace McpProxyFast;

/// <summary>
/// A policy for access tokens of an issuer, whose claims the proxy checks itself: <see cref="JwtPolicy"/> or <see cref="IntrospectionPolicy"/>.
/// </summary>
public abstract record ClaimsPolicy : TokenPolicy
{
    private static readonly TimeSpan MaxClockSkew = TimeSpan.FromMinutes(10);

    private protected ClaimsPolicy()
    {
    }

    /// <summary>The accepted values of <c>aud</c>. A token must have at least one of them.</summary>
    /// <value>
    /// Empty (the default): <c>aud</c> is not checked. MCP requires this check, so a warning is logged if <see cref="AllowedClients"/> is empty too.
    /// </value>
    /// <exception cref="ArgumentException">An entry is empty.</exception>
    public IReadOnlyList<string> Audiences
    {
        get;
        init => field = PolicyValue.Checked(value, value.All(audience => audience.Length > 0), nameof(Audiences), "an audience must not be empty.");
    } = [];

    /// <summary>
    /// The ids of the clients whose tokens are accepted. A token must have the claim <c>client_id</c> or <c>azp</c>, with a value in this list. If it has
    /// both claims, both values must be in this list.
    /// </summary>
    /// <value>
    /// Default empty: tokens of any client are accepted. If the list is set, a token without <c>aud</c> is accepted too, since some servers write none (Amazon
    /// Cognito).
    /// </value>
    /// <exception cref="ArgumentException">An entry is empty.</exception>
    public IReadOnlyList<string> AllowedClients
    {
        get;
        init => field = PolicyValue.Checked(value, value.All(client => client.Length > 0), nameof(AllowedClients), "a client id must not be empty.");
    } = [];

    /// <summary>The audiences and clients for which tokens are accepted, as text for the log.</summary>
    private protected string Recipients => $"Audiences = [{string.Join(", ", Audiences)}], AllowedClients = [{string.Join(", ", AllowedClients)}]";

    /// <summary>The allowed difference between the clocks of the issuer and the proxy, when the expiry and the start of a token are checked.</summary>
    /// <value>0 to 10 min. Default 60 s.</value>
    /// <exception cref="ArgumentException">The value is outside the range.</exception>
    public TimeSpan ClockSkew
    {
        get;
        init => field = PolicyValue.Checked(
            value, value >= TimeSpan.Zero && value <= MaxClockSkew, nameof(ClockSkew), "the clock skew must lie between 0 s and 10 min.");
    } = TimeSpan.FromSeconds(60);
}
