using System.Globalization;

namespace McpProxyFast.Cli.Flags;

/// <summary>Wraps text between words, in lines as wide as the terminal.</summary>
internal static class TextWrap
{
    /// <summary>The width, in characters, if that of the terminal is not known.</summary>
    private const int UsualWidth = 80;

    /// <summary>The smallest width that is used. In narrower lines single words would not fit.</summary>
    private const int MinWidth = 60;

    /// <summary>The largest width that is used. Longer lines are hard to read.</summary>
    private const int MaxWidth = 120;

    /// <summary>How many characters a line may have: the value of the variable <c>COLUMNS</c>, or else the terminal's width, within the limits above.</summary>
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
    /// Returns the words of <paramref name="text"/> in lines of at most <paramref name="width"/> characters. A word that is longer gets a line of its own.
    /// </summary>
    /// <param name="text">Words separated by spaces.</param>
    /// <param name="width">The maximum length of a line in characters.</param>
    /// <param name="continued">The text at the end of each line except the last.</param>
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
