using System.Globalization;

namespace McpProxyFast.Harness;

/// <summary>The system's own view of its TCP sockets: what of the engine no pipe and no peer can show.</summary>
public static class SystemSockets
{
    public enum State
    {
        Established = 1,
        SynSent = 2,
        CloseWait = 8,
    }

    /// <summary>Whether the system can be asked.</summary>
    public static bool AreShown => OperatingSystem.IsLinux();

    /// <summary>Sends until what was sent stays unread at the engine's socket. Should it only have been slow, the outcome is the same.</summary>
    public static async Task SendUntilNothingIsTakenAsync(RawPeer client, int port, int maxPieces = 400)
    {
        byte[] piece = new byte[16 * 1024]; // small, so that the end fits behind what is not taken
        for (int i = 0; i < maxPieces; i++)
        {
            await client.SendAsync(piece);
            if (!await TakesAsync(port))
            {
                return;
            }
        }
    }

    /// <summary>Whether what lies at the sockets of one port is read within some looks.</summary>
    public static async Task<bool> TakesAsync(int port)
    {
        const int enoughLooks = 200;
        const int enoughBytes = 64 * 1024;
        for (int looks = 0; looks < enoughLooks; looks++)
        {
            if (!From(port).Any(row => row.Unread >= enoughBytes))
            {
                return true;
            }

            await Task.Yield();
        }

        return false;
    }

    /// <summary>The sockets of one port at this end.</summary>
    public static IEnumerable<Row> From(int port) => All().Where(row => row.Port == port);

    /// <summary>The sockets towards one port.</summary>
    public static IEnumerable<Row> Towards(int port) => All().Where(row => row.PeerPort == port);

    private static IEnumerable<Row> All() => File.ReadLines("/proc/net/tcp").Skip(1)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Select(words => new Row(PortOf(words[1]), PortOf(words[2]), (State)Hex(words[3]), Hex(words[4][9..]), words[5][..2] == "02"));

    private static int PortOf(string address) => Hex(address[(address.IndexOf(':') + 1)..]);

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>One socket.</summary>
    /// <param name="Port">At this end.</param>
    /// <param name="PeerPort">At the other.</param>
    /// <param name="State">Its state.</param>
    /// <param name="Unread">Bytes that have come and were not read.</param>
    /// <param name="AsksPeer">The system will ask a silent peer whether it is still there.</param>
    public readonly record struct Row(int Port, int PeerPort, State State, int Unread, bool AsksPeer);
}
