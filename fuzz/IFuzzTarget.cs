namespace McpProxyFast.Fuzz;

/// <summary>One property of the engine that has to hold for every input.</summary>
internal interface IFuzzTarget
{
    /// <summary>What it is called on the command line.</summary>
    string Name { get; }

    /// <summary>Names the folder of its corpus, <c>Corpus/CORPUS</c>.</summary>
    string Corpus => Name;

    /// <summary>Names the file with the words that mutation inserts, <c>Dictionaries/DICTIONARY.dict</c>.</summary>
    string Dictionary { get; }

    /// <summary>Checks the property.</summary>
    /// <exception cref="PropertyBrokenException">It does not hold. Any other exception is a finding too.</exception>
    void Run(ReadOnlySpan<byte> input);
}
