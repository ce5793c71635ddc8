namespace McpProxyFast.House.Tests.Reading;

/// <summary>The table of the engine's README that says which folder may use which: the columns Folder, Duty and May use.</summary>
/// <param name="Rows">Room → the rooms that it may use; <see cref="Room.Root"/> among them stands for the root's records and hooks.</param>
/// <param name="Wiring">The types of the root that put the rooms together; named in the root's row.</param>
internal sealed record RoomTable(IReadOnlyDictionary<string, string[]> Rows, string[] Wiring)
{
    private const string Header = "| Folder | Duty | May use |";
    private const string RootFolder = "*(root)*";

    public static RoomTable Parse(string markdown)
    {
        string[][] rows = [.. RowsBelow(markdown).Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))];
        return new RoomTable(
            rows.Where(cells => cells[0] != RootFolder).ToDictionary(cells => Room.Named(cells[0]), cells => Allowed(cells[2])),
            [.. rows.Where(cells => cells[0] == RootFolder).SelectMany(cells => Quoted(cells[2]))]);
    }

    private static IEnumerable<string> RowsBelow(string markdown) => markdown.Split('\n', StringSplitOptions.TrimEntries)
        .SkipWhile(line => line != Header)
        .Skip(2)
        .TakeWhile(line => line.StartsWith('|'));

    private static string[] Allowed(string cell) => cell == "nothing" ? [] : [.. cell.Split(',').Select(Room.Named)];

    private static IEnumerable<string> Quoted(string cell) => cell.Split('`').Where((_, index) => index % 2 == 1);
}
