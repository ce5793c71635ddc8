namespace McpProxyFast.Http1;

/// <summary>The bounds of a message that the parsers enforce.</summary>
/// <param name="MaxHeadBytes">The whole head, in bytes; below 65,536.</param>
/// <param name="MaxStartLineBytes">The start line without its CRLF, in bytes.</param>
/// <param name="MaxFields">Field lines.</param>
/// <param name="Body">The bounds of the body that follows the head.</param>
internal readonly record struct HeadLimits(int MaxHeadBytes, int MaxStartLineBytes, int MaxFields, BodyLimits Body);
