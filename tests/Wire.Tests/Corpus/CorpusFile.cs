using System.Globalization;
using System.Text;

namespace McpProxyFast.Wire.Tests.Corpus;

/// <summary>Reads corpus files; <c>Corpus/README.md</c> describes the notation.</summary>
internal static class CorpusFile
{
    /// <summary>The request behind every case, which shows that nothing of the case is left.</summary>
    public const string Probe = "GET /probe HTTP/1.1\r\nHost: h\r\n\r\n";

    private static readonly string[] KnownWords = ["open", "closed", "begun", "reused", "dropped"];

    /// <summary>Every case of a folder over every one of the channels: channel, file and title.</summary>
    public static IEnumerable<object[]> Cases(string folder, params Over[] overs) =>
        from over in overs
        from file in Names(folder)
        from found in Read(folder, file)
        select (object[])[over, file, found.Title];

    private static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFiles(FolderOf(folder), "*.http").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    private static IReadOnlyList<CorpusCase> Read(string folder, string file) =>
        [.. File.ReadAllText(Path.Combine(FolderOf(folder), file)).Split("\n### ").Skip(1).Select(ReadCase)];

    public static CorpusCase Find(string folder, string file, string title) => Read(folder, file).Single(found => found.Title == title);

    private static string FolderOf(string folder) => Path.Combine(AppContext.BaseDirectory, "Corpus", folder);

    private static CorpusCase ReadCase(string text)
    {
        string[] lines = text.Split('\n');
        string Marked(string mark) => string.Concat(lines.Where(line => line.StartsWith(mark, StringComparison.Ordinal)).Select(line => line[mark.Length..]));
        string outcomes = Marked("=> ");
        string output = Marked(">> ");
        string setup = Marked("? ");
        IEnumerable<string> input = lines.Skip(1).Where(line => !line.StartsWith("=> ", StringComparison.Ordinal)
            && !line.StartsWith(">> ", StringComparison.Ordinal)
            && !line.StartsWith("? ", StringComparison.Ordinal)
            && !line.StartsWith("# ", StringComparison.Ordinal));
        return new CorpusCase(
            lines[0].Trim(),
            Unescape(string.Concat(input)),
            [.. outcomes.Split(", ").Select(ReadOutcome)],
            output.Length == 0 ? null : Unescape(output),
            setup.Length == 0 ? null : Unescape(setup));
    }

    private static Outcome ReadOutcome(string text)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string? reason = words.Skip(1).SingleOrDefault(word => !KnownWords.Contains(word));
        return new Outcome(int.Parse(words[0], CultureInfo.InvariantCulture), reason ?? "", words.Where(KnownWords.Contains).ToHashSet());
    }

    private static string Unescape(string text)
    {
        var bytes = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                bytes.Append(text[i]);
                continue;
            }

            i++;
            switch (text[i])
            {
                case 'r': bytes.Append('\r'); break;
                case 'n': bytes.Append('\n'); break;
                case 't': bytes.Append('\t'); break;
                case '\\': bytes.Append('\\'); break;
                case 'x':
                    bytes.Append((char)byte.Parse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                    i += 2;
                    break;
                case '{':
                    int end = text.IndexOf('}', i);
                    int times = text.LastIndexOf('*', end);
                    string repeated = Unescape(text[(i + 1)..times]);
                    bytes.Insert(bytes.Length, repeated, int.Parse(text.AsSpan(times + 1, end - times - 1), CultureInfo.InvariantCulture));
                    i = end;
                    break;
                default:
                    throw new InvalidDataException($"Unknown escape \\{text[i]}");
            }
        }

        return bytes.ToString();
    }
}
