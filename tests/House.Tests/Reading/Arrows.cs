namespace McpProxyFast.House.Tests.Reading;

/// <summary>Judges which room uses which, against the table of the README. One sentence for each breach.</summary>
internal sealed class Arrows
{
    private readonly RoomTable _table;

    /// <summary>The uses that cross from one room into another.</summary>
    private readonly Use[] _crossing;

    /// <summary>Every room that has code.</summary>
    private readonly SortedSet<string> _rooms;

    /// <param name="table">What is allowed.</param>
    /// <param name="uses">What was found in the assembly and in the source.</param>
    public Arrows(RoomTable table, IEnumerable<Use> uses)
    {
        _table = table;
        Use[] all = [.. uses];
        _crossing = [.. all.Where(use => Room.IsOfEngine(use.Used.Namespace) && use.Used.Namespace != use.By.Namespace)];
        _rooms = [.. all.Select(use => use.By.Namespace).Where(Room.IsOfEngine).Select(Room.Of).Where(room => room != Room.Root)];
    }

    /// <summary>Uses that no row allows.</summary>
    public IEnumerable<string> NotAllowed() => Between()
        .Where(arrow => arrow.From != Room.Root && arrow.To != Room.Root && !Allows(arrow.From, arrow.To))
        .Select(arrow => $"{arrow.From} must not use {arrow.To}: {Examples(arrow.Uses)}");

    /// <summary>Uses of the root that no row allows: of its records and hooks without the word, of its wiring in any case.</summary>
    public IEnumerable<string> RootNotAllowed() => _crossing
        .Where(use => Room.Of(use.Used.Namespace) == Room.Root && !use.IsDirectiveOnly)
        .GroupBy(use => (From: Room.Of(use.By.Namespace), use.Used.Type))
        .Where(group => _table.Wiring.Contains(group.Key.Type) || !Allows(group.Key.From, Room.Root))
        .Select(group => _table.Wiring.Contains(group.Key.Type)
            ? $"{group.Key.From} must not use {group.Key.Type}, which is wiring of the root: {Examples(group)}"
            : $"{group.Key.From} must not use the root's {group.Key.Type}: {Examples(group)}");

    /// <summary>Types of the root that use a room though the root's row does not name them.</summary>
    public IEnumerable<string> RootTypesThatAreNotWiring() => _crossing
        .Where(use => Room.Of(use.By.Namespace) == Room.Root && !_table.Wiring.Contains(use.By.Type))
        .GroupBy(use => use.By.Type)
        .Select(group => (Type: group.Key, Rooms: string.Join(", ", group.Select(use => Room.Of(use.Used.Namespace)).Distinct().Order()), Uses: group))
        .Select(wiring => $"{wiring.Type} of the root uses {wiring.Rooms}: {Examples(wiring.Uses)}");

    /// <summary>Permissions that nothing needs. A <c>using</c> alone is not a need.</summary>
    public IEnumerable<string> NotUsed()
    {
        HashSet<(string, string)> used = [.. Between().Where(arrow => arrow.Uses.Any(use => !use.IsDirectiveOnly)).Select(arrow => (arrow.From, arrow.To))];
        foreach ((string room, string[] allowed) in _table.Rows.Where(row => _rooms.Contains(row.Key)))
        {
            foreach (string unused in allowed.Where(other => !used.Contains((room, other))))
            {
                yield return _rooms.Contains(unused) || unused == Room.Root
                    ? $"The row of {room} allows {unused}, which it does not use."
                    : $"The row of {room} allows \"{unused}\", which is not a room.";
            }
        }

        foreach (string wiring in _table.Wiring.Where(type => !_crossing.Any(use => Room.Of(use.By.Namespace) == Room.Root && use.By.Type == type)))
        {
            yield return $"The row of the root names {wiring}, which uses no room.";
        }
    }

    /// <summary>Rooms without a row, and rows without a room.</summary>
    public IEnumerable<string> RowsAndRoomsApart() =>
    [
        .. _rooms.Except(_table.Rows.Keys).Select(room => $"{room} has no row. Its row should allow: {Needs(room)}"),
        .. _table.Rows.Keys.Except(_rooms).Select(row => $"{row} has a row but no code. A room that is not built yet has no row."),
    ];

    /// <summary>Rooms that use each other, directly or around several corners. The root is left out: it wires the rooms and lends them its records.</summary>
    public IEnumerable<string> Circles()
    {
        ILookup<string, string> next = Between()
            .Where(arrow => arrow.From != Room.Root && arrow.To != Room.Root)
            .ToLookup(arrow => arrow.From, arrow => arrow.To);
        foreach (string room in _rooms)
        {
            HashSet<string> reached = [];
            var open = new Stack<string>(next[room]);
            while (open.TryPop(out string? one))
            {
                if (reached.Add(one))
                {
                    next[one].ToList().ForEach(open.Push);
                }
            }

            if (reached.Contains(room))
            {
                yield return $"{room} uses rooms that use it: it is in a circle with {string.Join(", ", reached.Where(other => other != room).Order())}.";
            }
        }
    }

    private string Needs(string room) =>
        string.Join(", ", Between().Where(arrow => arrow.From == room).Select(arrow => arrow.To).Order()) is { Length: > 0 } needs ? needs : "nothing";

    private bool Allows(string from, string to) => _table.Rows.TryGetValue(from, out string[]? allowed) && allowed.Contains(to);

    private IEnumerable<(string From, string To, IEnumerable<Use> Uses)> Between() => _crossing
        .GroupBy(use => (From: Room.Of(use.By.Namespace), To: Room.Of(use.Used.Namespace)))
        .Select(group => (group.Key.From, group.Key.To, group.AsEnumerable()));

    private static string Examples(IEnumerable<Use> uses)
    {
        IEnumerable<string> shown = uses.Select(use => use.IsDirectiveOnly ? $"{use.By.Type} (using)" : $"{use.By} → {use.Used.Type}");
        string[] all = [.. shown.Distinct().Order(StringComparer.Ordinal)];
        return string.Join("; ", all.Take(4)) + (all.Length > 4 ? $"; and {all.Length - 4} more" : "");
    }
}
