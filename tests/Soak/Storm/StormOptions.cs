using System.Globalization;

namespace McpProxyFast.Soak.Storm;

/// <summary>Reads the command line of a storm.</summary>
internal static class StormOptions
{
    private const string Usage = "usage: soak --storm [--over CHANNEL|all] [--minutes N] [--seed N]";

    /// <returns>0 where every storm was sound, 2 for wrong use.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        Over[] overs = Enum.GetValues<Over>();
        double minutes = 10;
        int seed = Random.Shared.Next(1_000_000);
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            bool isRead = arguments[i] switch
            {
                "--over" => value == "all" || Enum.TryParse(value, ignoreCase: true, out Over over) && (overs = [over]).Length == 1,
                "--minutes" => double.TryParse(value, CultureInfo.InvariantCulture, out minutes),
                "--seed" => int.TryParse(value, CultureInfo.InvariantCulture, out seed),
                _ => false,
            };
            if (!isRead)
            {
                Console.Error.WriteLine($"{Usage}; the channels are {string.Join(", ", Enum.GetNames<Over>())}.");
                return 2;
            }
        }

        int unsound = 0;
        foreach (Over over in overs)
        {
            unsound |= await StormRun.RunAsync(over, minutes, seed);
        }

        return unsound;
    }
}
