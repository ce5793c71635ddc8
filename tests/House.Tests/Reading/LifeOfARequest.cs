using System.Text.RegularExpressions;

namespace McpProxyFast.House.Tests.Reading;

/// <summary>One step of a numbered list in the README, such as the life of a request: <c>3. **Lease.** `UpstreamPool.LeaseAsync` …</c></summary>
/// <param name="Number">As it is written.</param>
/// <param name="Title">The bold words, without their full stop.</param>
/// <param name="Names">Every <c>Type.Member</c> that the step has in backticks.</param>
internal sealed partial record LifeStep(int Number, string Title, string[] Names)
{
    /// <summary>Reads the steps of one section.</summary>
    /// <param name="readme">The whole page.</param>
    /// <param name="section">The section's heading, without the <c>##</c>.</param>
    public static LifeStep[] Parse(string readme, string section = "The life of a request")
    {
        string heading = $"## {section}";
        string[] lines =
        [
            .. readme.Split('\n').SkipWhile(line => line.TrimEnd() != heading).Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal)),
        ];
        List<LifeStep> steps = [];
        for (int i = 0; i < lines.Length; i++)
        {
            Match first = FirstLine().Match(lines[i]);
            if (first.Success)
            {
                // What is indented below belongs to the step.
                string text = string.Join('\n', lines.Skip(i + 1).TakeWhile(line => line.StartsWith(' ')).Prepend(lines[i]));
                string[] names = [.. Name().Matches(text).Select(match => match.Groups[1].Value).Distinct()];
                steps.Add(new LifeStep(int.Parse(first.Groups[1].Value, null), first.Groups[2].Value.TrimEnd('.'), names));
            }
        }

        return [.. steps];
    }

    [GeneratedRegex(@"^(\d+)\. \*\*(.+?)\*\*")]
    private static partial Regex FirstLine();

    [GeneratedRegex(@"`([A-Z]\w*(?:\.[A-Z]\w*)+)(?:\(\))?`")]
    private static partial Regex Name();
}
