using System.Text.Encodings.Web;
using System.Text.Json;
using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Scenarios;
using McpProxyFast.EndToEnd.Subjects;

namespace McpProxyFast.EndToEnd.Reporting;

/// <summary>The results as JSON: what was measured, on what, and every single measurement beside the medians.</summary>
internal static class ResultFile
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Render(Results results)
    {
        var file = new
        {
            takenAt = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd HH:mm 'UTC'", System.Globalization.CultureInfo.InvariantCulture),
            results.Commit,
            results.Machine,
            results.Pinning,
            otherProgramsUseOfACorePercent = results.OtherUse,
            results.Options.Rounds,
            results.Options.Seconds,
            warmUp = new
            {
                leastSeconds = results.Options.WarmUpSeconds,
                mostSeconds = results.Options.MaxWarmUpSeconds,
                WarmUp.Tolerance,
                WarmUp.Windows,
            },
            idleSettleSeconds = results.Options.SettleSeconds,
            versions = results.Subjects.ToDictionary(subject => subject.Name, subject => subject.Version()),
            settings = results.Subjects.ToDictionary(subject => subject.Name, subject => subject.Settings),
            results.Heads,
            results.LeftOut,
            medians = results.Scenarios.ToDictionary(scenario => scenario.Name, scenario => MediansOf(results, scenario)),
            results.Measurements,
        };
        return JsonSerializer.Serialize(file, Format) + "\n";
    }

    private static Dictionary<string, Dictionary<string, Spread>> MediansOf(Results results, Scenario scenario) =>
        results.Subjects.ToDictionary(subject => subject.Name, subject => MediansOf(results, scenario, subject));

    private static Dictionary<string, Spread> MediansOf(Results results, Scenario scenario, Subject subject) => results.Measurements
        .Where(measurement => measurement.Scenario == scenario.Name && measurement.Subject == subject.Name)
        .SelectMany(measurement => measurement.Metrics.Keys)
        .Distinct()
        .Select(metric => (metric, spread: results.Find(scenario, subject, metric)))
        .Where(found => found.spread is not null)
        .ToDictionary(found => found.metric, found => found.spread!);
}
