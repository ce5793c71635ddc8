using System.Diagnostics;
using System.Security.Cryptography;

namespace McpProxyFast.Fuzz.Running;

/// <summary>Runs targets over their corpus and over mutations of it, and keeps what breaks a property.</summary>
internal sealed class Campaign(FuzzOptions options, TextWriter log)
{
    /// <summary>How many inputs one target gets before it is the next one's turn.</summary>
    private const int Turn = 64;

    /// <summary>The same for a target that takes its time.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMilliseconds(100);

    private readonly Stopwatch _elapsed = Stopwatch.StartNew();

    /// <summary>Replays, then mutates for the time given.</summary>
    /// <returns>The number of targets with a finding; each of them stops at its first.</returns>
    public int Run(IReadOnlyList<IFuzzTarget> targets)
    {
        List<Lane> lanes = [.. targets.Select(target => new Lane(target, Corpus.Load(target), options.Seed))];
        int findings = lanes.RemoveAll(lane => !Replay(lane));
        while (lanes.Count > 0 && _elapsed.Elapsed.TotalSeconds < options.Seconds)
        {
            findings += lanes.RemoveAll(lane => !Mutate(lane));
        }

        foreach (Lane lane in lanes)
        {
            log.WriteLine($"{lane.Target.Name}: {lane.Corpus.Inputs.Count} replayed, {lane.Mutations} mutated, nothing found");
        }

        log.WriteLine($"seed {options.Seed}, {_elapsed.Elapsed.TotalSeconds:F0} s");
        return findings;
    }

    /// <summary>Runs one input, and says on the log what it broke.</summary>
    /// <returns>Whether the property holds.</returns>
    public bool TryRun(IFuzzTarget target, byte[] input)
    {
        try
        {
            target.Run(input);
            return true;
        }
        catch (Exception broken)
        {
            // Whatever a target throws is the finding: it is written down, not handled.
            string file = Path.Combine("fuzz-findings", $"{target.Name}-{Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, 6))}");
            Directory.CreateDirectory("fuzz-findings");
            File.WriteAllBytes(file, input);
            log.WriteLine($"FINDING {target.Name}: {(broken is PropertyBrokenException ? broken.Message : broken)}");
            log.WriteLine($"  input: {Path.GetFullPath(file)} ({input.Length} bytes)");
            return false;
        }
    }

    private bool Replay(Lane lane) => lane.Corpus.Inputs.All(input => TryRun(lane.Target, input));

    private bool Mutate(Lane lane)
    {
        TimeSpan began = _elapsed.Elapsed;
        for (int i = 0; i < Turn && _elapsed.Elapsed - began < LongestTurn; i++)
        {
            lane.Mutations++;
            if (!TryRun(lane.Target, lane.Mutator.Next()))
            {
                return false;
            }
        }

        return true;
    }

    private sealed class Lane(IFuzzTarget target, Corpus corpus, int seed)
    {
        public IFuzzTarget Target => target;

        public Corpus Corpus => corpus;

        public Mutator Mutator { get; } = new(corpus, seed);

        public long Mutations { get; set; }
    }
}
