using McpProxyFast.Fuzz;
using McpProxyFast.Fuzz.Running;
using McpProxyFast.Fuzz.Targets;

IReadOnlyList<IFuzzTarget> all =
[
    new RequestHeadTarget(),
    new ResponseHeadTarget(),
    new ChunkedFramingTarget(),
    new KestrelDifferenceTarget(),
    new ExchangeTarget(),
];

try
{
    FuzzOptions options = FuzzOptions.Parse(args);
    List<IFuzzTarget> chosen = [.. all.Where(target => options.Target is null || options.Target == target.Name)];
    if (chosen.Count == 0)
    {
        throw new FormatException($"The targets are {string.Join(", ", all.Select(target => target.Name))}.");
    }

    var campaign = new Campaign(options, Console.Out);
    if (options.Input is null)
    {
        return campaign.Run(chosen) == 0 ? 0 : 1;
    }

    if (options.Input == "-")
    {
        GuidedRun.Start(chosen[0]);
        return 0;
    }

    byte[] input = File.ReadAllBytes(options.Input);
    return chosen.TrueForAll(target => campaign.TryRun(target, input)) ? 0 : 1;
}
catch (FormatException wrong)
{
    Console.Error.WriteLine(wrong.Message);
    return 2;
}
