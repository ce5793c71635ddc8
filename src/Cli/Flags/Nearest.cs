namespace McpProxyFast.Cli.Flags;

/// <summary>Finds the known name that a user probably meant by an unknown one.</summary>
internal static class Nearest
{
    /// <summary>Returns the known name that differs from <paramref name="name"/> in few letters, or begins with it; null if there is none.</summary>
    public static string? Of(string name, IEnumerable<string> known)
    {
        (string Name, int Distance)[] all = [.. known.Select(other => (other, EditDistance(other, name))).OrderBy(other => other.Item2)];
        if (all is [])
        {
            return null;
        }

        (string nearest, int distance) = all[0];
        if (distance <= 2)
        {
            return nearest;
        }

        // At least three letters are needed, since too many names begin with the same two.
        string? longer = name.Length >= 3 ? Array.Find(all, other => other.Name.StartsWith(name, StringComparison.Ordinal)).Name : null;
        return longer ?? (distance <= nearest.Length / 5 ? nearest : null);
    }

    /// <summary>The Levenshtein distance.</summary>
    private static int EditDistance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
