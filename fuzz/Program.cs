using McpProxyFast.Fuzz;
using McpProxyFast.Fuzz.Running;
using McpProxyFast.Fuzz.Targets;

// Made only when they are run: where the engine is instrumented, none of its code may run before the guided fuzzer is there.
IReadOnlyDictionary<string, Func<IFuzzTarget>> all = new Dictionary<string, Func<IFuzzTarget>>
{
    ["request-head"] = () => new RequestHeadTarget(),
    ["response-head"] = () => new ResponseHeadTarget(),
    ["chunked"] = () => new ChunkedFramingTarget(),
    ["kestrel"] = () => new KestrelDifferenceTarget(),
    ["exchange"] = () => new ExchangeTarget(ExchangeChannel.Pipes),
    ["exchange-streams"] = () => new ExchangeTarget(ExchangeChannel.Streams),
    ["exchange-sockets"] = () => new ExchangeTarget(ExchangeChannel.Sockets),
    ["bridge"] = () => new BridgeTarget(),
    ["messages"] = () => new MessageTarget(),
    ["eras"] = () => new EraTarget(),
    ["exchange-portable"] = () => new ExchangeTarget(ExchangeChannel.Portable),
};

try
{
    FuzzOptions options = FuzzOptions.Parse(args);
    List<Func<IFuzzTarget>> makers = [.. all.Where(pair => options.Target is null || options.Target == pair.Key).Select(pair => pair.Value)];
    if (makers.Count == 0)
    {
        throw new FormatException($"The targets are {string.Join(", ", all.Keys)}.");
    }

    if (options.Input == "-")
    {
        GuidedRun.Start(makers[0]);
        return 0;
    }

    List<IFuzzTarget> chosen = [.. makers.Select(make => make())];
    var campaign = new Campaign(options, Console.Out);
    if (options.Input is null)
    {
        return campaign.Run(chosen) == 0 ? 0 : 1;
    }

    byte[] input = File.ReadAllBytes(options.Input);
    return chosen.TrueForAll(target => campaign.TryRun(target, input)) ? 0 : 1;
}
catch (FormatException wrong)
{
    Console.Error.WriteLine(wrong.Message);
    return 2;
}
