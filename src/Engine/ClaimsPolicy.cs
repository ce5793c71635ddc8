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

    /// <summary>Accepted values of <c>aud</c>; one is enough.</summary>
    /// <value>Empty (the default): not checked. MCP forbids that, so a warning is logged.</value>
    /// <exception cref="ArgumentException">An entry is empty.</exception>
    public IReadOnlyList<string> Audiences
    {
        get;
        init => field = PolicyValue.Checked(value, value.All(audience => audience.Length > 0), nameof(Audiences), "an audience must not be empty.");
    } = [];

    /// <summary>
    /// The ids of the clients whose tokens are accepted. A token must have <c>client_id</c> or <c>azp</c>, and those that it has must be in this list.
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

    /// <summary>By how much the clocks of the issuer and the proxy may differ.</summary>
    /// <value>0 to 10 min. Default 60 s.</value>
    /// <exception cref="ArgumentException">The value is outside the range.</exception>
    public TimeSpan ClockSkew
    {
        get;
        init => field = PolicyValue.Checked(
            value, value >= TimeSpan.Zero && value <= MaxClockSkew, nameof(ClockSkew), "the clock skew must lie between 0 s and 10 min.");
    } = TimeSpan.FromSeconds(60);
}
