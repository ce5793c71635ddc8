namespace McpProxyFast.Wire.Tests.Corpus;

/// <summary>One case of a corpus file: bytes, and what must become of them.</summary>
/// <param name="Title">The sentence behind <c>###</c>.</param>
/// <param name="Input">The bytes sent, as Latin-1.</param>
/// <param name="Outcomes">One for each answer the client gets, in order.</param>
/// <param name="Output">What comes out at the other side; null where the file does not say.</param>
/// <param name="Setup">The line behind <c>?</c>: for a response, the request that it answers.</param>
internal sealed record CorpusCase(string Title, string Input, IReadOnlyList<Outcome> Outcomes, string? Output, string? Setup);

/// <summary>One answer as the client gets it.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Reason">The code in the observer's report; empty for an answer of the upstream.</param>
/// <param name="Words">What else is expected, such as <c>open</c>, <c>closed</c> or <c>reused</c>.</param>
internal sealed record Outcome(int Status, string Reason, IReadOnlySet<string> Words);
