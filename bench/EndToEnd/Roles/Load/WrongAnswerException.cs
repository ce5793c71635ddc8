namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>The subject's answer was wrong, cut or missing. Ends the measurement.</summary>
internal sealed class WrongAnswerException(string message) : Exception(message);
