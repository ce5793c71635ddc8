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
