using McpProxyFast.EndToEnd.Roles.Load;

namespace McpProxyFast.EndToEnd.Scenarios;

/// <summary>One row of the results: a load, what the subject has to do meanwhile, and what is counted.</summary>
internal sealed record Scenario(string Name, string Title, string Unit, LoadPlan Load, Variant Variant = Variant.Plain)
{
    /// <summary>Whether the requests carry a JWT.</summary>
    public bool CarriesToken => Variant is Variant.TokenCarried or Variant.JwtProtected or Variant.TokenExchanged;

    /// <summary>Whether the subject adds or exchanges what the origin checks.</summary>
    public bool IsCheckedByOrigin => Variant is Variant.TokenInjected or Variant.TokenExchanged or Variant.FieldsAdded;
}
