namespace McpProxyFast.Http1;

/// <summary>The bounds of a chunked body. A framing gets them when it is made, so there is none without. A declared length is its own bound.</summary>
/// <param name="MaxDataBytes">Bytes of data before <see cref="Violation.BodyTooLarge"/>.</param>
/// <param name="MaxOverheadBytes">Bytes of chunk extensions, and as many of trailers, before <see cref="Violation.ChunkOverheadTooLarge"/>.</param>
internal readonly record struct BodyLimits(long MaxDataBytes, int MaxOverheadBytes);
