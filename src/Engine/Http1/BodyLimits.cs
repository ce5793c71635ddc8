namespace McpProxyFast.Http1;

/// <summary>The limits of a chunked body. A framing gets them when it is created. A body with a declared length needs no other limit.</summary>
/// <param name="MaxDataBytes">The maximum number of data bytes; more are <see cref="Violation.BodyTooLarge"/>.</param>
/// <param name="MaxOverheadBytes">
/// The maximum number of bytes of all chunk extensions, and also of all trailers; more are <see cref="Violation.ChunkOverheadTooLarge"/>.
/// </param>
internal readonly record struct BodyLimits(long MaxDataBytes, int MaxOverheadBytes);
