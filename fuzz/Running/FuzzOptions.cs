using System.Globalization;

namespace McpProxyFast.Fuzz.Running;

/// <summary>What was asked for on the command line.</summary>
/// <param name="Seconds">How long to mutate; 0 to replay the corpus only.</param>
/// <param name="Seed">Where the sequence of mutations starts: the same seed gives the same inputs.</param>
/// <param name="Target">The one target to run; null for all in turn.</param>
/// <param name="Input">The one file to run; <c>-</c> for what a guided fuzzer sends on standard input.</param>
internal sealed record FuzzOptions(int Seconds, int Seed, string? Target, string? Input)
{
    /// <summary>How the program is called.</summary>
    public const string Usage = "usage: fuzz [--seconds N] [--seed N] [--target NAME] [--input FILE|-]";

    /// <summary>Reads the command line.</summary>
    /// <exception cref="FormatException">It is not as <see cref="Usage"/> says.</exception>
    public static FuzzOptions Parse(string[] arguments)
    {
        var options = new FuzzOptions(Seconds: 60, Seed: 1, Target: null, Input: null);
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string value = i + 1 < arguments.Length ? arguments[i + 1] : throw new FormatException(Usage);
            options = arguments[i] switch
            {
                "--seconds" => options with { Seconds = Number(value) },
                "--seed" => options with { Seed = Number(value) },
                "--target" => options with { Target = value },
                "--input" => options with { Input = value },
                _ => throw new FormatException(Usage),
            };
        }

        return options;
    }

    private static int Number(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw new FormatException(Usage);
}
