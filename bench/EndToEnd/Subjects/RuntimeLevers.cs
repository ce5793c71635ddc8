namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>The settings of the .NET runtime that a subject runs with: the same for the project's command and for YARP, and said in the results.</summary>
internal static class RuntimeLevers
{
    /// <summary>What the command's own project file sets, spelled out for every subject on .NET. Numbers are hexadecimal, as the runtime reads them.</summary>
    public static IReadOnlyDictionary<string, string> Shared { get; } = new Dictionary<string, string>
    {
        ["DOTNET_TieredCompilation"] = "1",
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_TC_CallCountingDelayMs"] = "A",
        ["DOTNET_ReadyToRun"] = "1",
        ["DOTNET_gcServer"] = "0",
        ["DOTNET_gcConcurrent"] = "0",
        ["DOTNET_ThreadPool_UnfairSemaphoreSpinLimit"] = "0",
    };

    /// <summary>
    /// The same with the profile-guided tier, for a library that gains more from it than the command does. With the runtime's own delay its instrumented code
    /// would run for some 20 seconds on one core, and stand still meanwhile: what is measured then is neither cold nor warm.
    /// </summary>
    public static IReadOnlyDictionary<string, string> WithProfile { get; } = new Dictionary<string, string>(Shared) { ["DOTNET_TieredPGO"] = "1" };

    /// <summary>As one line.</summary>
    public static string Describe(IReadOnlyDictionary<string, string> levers) => string.Join(' ', levers.Select(lever => $"{lever.Key}={lever.Value}"));
}
