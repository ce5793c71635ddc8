namespace McpProxyFast.Outcomes;

/// <summary>A reader that knows whether its end was orderly: only then is a body that lasts until the close whole.</summary>
internal interface IFaultAware
{
    bool EndedByFault { get; }
}
