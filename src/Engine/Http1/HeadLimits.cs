namespace McpProxyFast.Http1;

/// <summary>The limits of a message that the parsers enforce.</summary>
/// <param name="MaxHeadBytes">The maximum size of the whole head in bytes; less than 65,536.</param>
/// <param name="MaxStartLineBytes">The maximum length of the start line without its CRLF, in bytes.</param>
/// <param name="MaxFields">The maximum number of field lines.</param>
/// <param name="Body">The limits of the body that follows the head.</param>
internal readonly record struct HeadLimits(int MaxHeadBytes, int MaxStartLineBytes, int MaxFields, BodyLimits Body);
