namespace McpProxyFast.Http1;

/// <summary>
/// The limits of a chunked body. They are set when its <see cref="ChunkedFraming"/> is created. A body with a declared length does not need them: the length of
/// a request's body is checked when its head is admitted.
/// </summary>
/// <param name="MaxDataBytes">The maximum number of data bytes. A body with more breaks <see cref="Violation.BodyTooLarge"/>.</param>
/// <param name="MaxOverheadBytes">
/// The maximum number of bytes of all chunk extensions together, and also, counted separately, of the trailer section. A body with more breaks
/// <see cref="Violation.ChunkOverheadTooLarge"/>.
/// </param>
internal readonly record struct BodyLimits(long MaxDataBytes, int MaxOverheadBytes);
