namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>Every answer was right, but too few came in time for a figure: the subject is too slow for the load, or other programs had the machine.</summary>
internal sealed class TooSlowException(string message) : Exception(message);
