using System.Globalization;

namespace McpProxyFast.Cli.Flags;

/// <summary>Text in lines as wide as the terminal, broken between words.</summary>
internal static class TextWrap
{
    /// <summary>The width if nobody says how wide the terminal is.</summary>
    private const int UsualWidth = 80;

    /// <summary>Narrower, single words would not fit.</summary>
    private const int MinWidth = 60;

    /// <summary>Wider, the eye loses the beginning of the next line.</summary>
    private const int MaxWidth = 120;

    /// <summary>How many characters a line may have: <c>COLUMNS</c>, else the terminal's width.</summary>
    public static int Width
    {
        get
        {
            string? columns = Environment.GetEnvironmentVariable("COLUMNS");
            int width = int.TryParse(columns, NumberStyles.None, CultureInfo.InvariantCulture, out int given) ? given
                : Console.IsOutputRedirected ? UsualWidth
                : Console.WindowWidth;
            return width <= 0 ? UsualWidth : Math.Clamp(width, MinWidth, MaxWidth);
        }
    }

    /// <summary>
    /// The words of <paramref name="text"/> in lines of at most <paramref name="width"/> characters; a word that is longer has a line of its own.
    /// </summary>
    /// <param name="text">Words with spaces between.</param>
    /// <param name="width">The longest line.</param>
    /// <param name="continued">What a line ends with that another follows.</param>
    public static IEnumerable<string> Wrap(string text, int width, string continued = "")
    {
        string line = "";
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length + continued.Length > width)
            {
                yield return line + continued;
                line = word;
            }
            else
            {
                line = line.Length == 0 ? word : $"{line} {word}";
            }
        }

        yield return line;
    }
}
