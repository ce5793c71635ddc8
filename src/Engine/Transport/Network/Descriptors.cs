using McpProxyFast.Transport.Epoll;

namespace McpProxyFast.Transport.Network;

/// <summary>Knows how many connections the process has descriptors for, and holds a few spare ones for emergencies.</summary>
/// <remarks>
/// A process without free descriptors can do little: it can neither connect to an upstream nor load an assembly, and .NET terminates it if an assembly cannot
/// be loaded. So fewer connections are accepted than there are descriptors for. If other code in the process has used up the descriptors, the spare ones are
/// released before anything is logged.
/// </remarks>
internal sealed class Descriptors : IDisposable
{
    /// <summary>Reserved for everything but connections: the spare ones, assemblies and files to be opened, calls to an authorization server.</summary>
    private const int Reserve = 96;

    /// <summary>Each client connection may need one more for the upstream.</summary>
    private const int PerClient = 2;

    /// <summary>Loading an assembly needs two.</summary>
    private const int Spares = 24;

    private readonly List<int> _held = [];

    /// <summary>
    /// The number of client connections that there are descriptors for, at most <paramref name="wanted"/>. Raises the soft limit of the process to its hard
    /// limit.
    /// </summary>
    /// <param name="wanted">The largest number that is useful.</param>
    /// <param name="listing">The folder in which the system lists the open descriptors.</param>
    public static int RoomFor(int wanted, string listing = "/proc/self/fd")
    {
        if (!OperatingSystem.IsLinux() || Libc.RaiseDescriptorLimit() is not long limit)
        {
            return wanted; // the system has no such limit, or does not report it
        }

        return (int)Math.Clamp((limit - CountOpen(listing) - Reserve) / PerClient, 1, wanted);
    }

    /// <summary>Counts the open descriptors. Without a listing (/proc not mounted) it uses the next free number: the system assigns the lowest.</summary>
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

    /// <summary>Takes the spare descriptors.</summary>
    /// <returns>False if not all of them are available; then none is taken.</returns>
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

    /// <summary>Releases the spare descriptors, for whatever needs one now.</summary>
    public void LetGo()
    {
        _held.ForEach(Libc.Close);
        _held.Clear();
    }

    public void Dispose() => LetGo();
}
