using McpProxyFast.Transport.Epoll;

namespace McpProxyFast.Transport.Network;

/// <summary>Finds out for how many connections the process has descriptors, and holds a few spare ones for emergencies.</summary>
/// <remarks>
/// A process without free descriptors can do little: it can neither connect to an upstream nor load an assembly, and .NET terminates it if an assembly cannot
/// be loaded. So the number of connections is limited to what the descriptors are enough for. If other code in the process has used up the descriptors, the
/// spare ones are released before anything is logged, since logging may load an assembly.
/// </remarks>
internal sealed class Descriptors : IDisposable
{
    /// <summary>
    /// How many descriptors are reserved for everything but connections: the spare ones, assemblies and files to be opened, calls to an authorization server.
    /// </summary>
    private const int Reserve = 96;

    /// <summary>How many descriptors a client's connection may need: its own, and one for a connection to the upstream.</summary>
    private const int PerClient = 2;

    /// <summary>The number of spare descriptors: enough to load several assemblies, each of which needs two.</summary>
    private const int Spares = 24;

    /// <summary>The spare descriptors that are open now: all of them or none.</summary>
    private readonly List<int> _held = [];

    /// <summary>
    /// The number of client connections that there are descriptors for, at most <paramref name="wanted"/> and at least 1. Raises the soft limit of the process
    /// to its hard limit.
    /// </summary>
    /// <param name="wanted">The largest number to return.</param>
    /// <param name="listing">The folder in which the system lists the open descriptors.</param>
    public static int RoomFor(int wanted, string listing = "/proc/self/fd")
    {
        if (!OperatingSystem.IsLinux() || Libc.RaiseDescriptorLimit() is not long limit)
        {
            return wanted; // the system has no such limit, or does not report it
        }

        return (int)Math.Clamp((limit - CountOpen(listing) - Reserve) / PerClient, 1, wanted);
    }

    /// <summary>
    /// Counts the open descriptors. If the listing cannot be read (/proc not mounted), the number of a new descriptor serves as the count, because the system
    /// assigns the lowest free number.
    /// </summary>
    private static int CountOpen(string listing)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(listing).Count();
        }
        catch (Exception unlisted) when (unlisted is IOException or UnauthorizedAccessException)
        {
            int next = Libc.OpenEvent();
            if (next >= 0)
            {
                Libc.Close(next);
            }

            return Math.Max(next, 0);
        }
    }

    /// <summary>Opens the spare descriptors, unless they are open. Does nothing on systems other than Linux.</summary>
    /// <returns>False if not all of them could be opened; then none stays open.</returns>
    public bool TryHold()
    {
        while (OperatingSystem.IsLinux() && _held.Count < Spares)
        {
            int spare = Libc.OpenEvent();
            if (spare < 0)
            {
                LetGo();
                return false;
            }

            _held.Add(spare);
        }

        return true;
    }

    /// <summary>Closes the spare descriptors, so that other code of the process can use them.</summary>
    public void LetGo()
    {
        _held.ForEach(Libc.Close);
        _held.Clear();
    }

    public void Dispose() => LetGo();
}
