using McpProxyFast.Transport.Epoll;

namespace McpProxyFast.Transport.Network;

/// <summary>How many connections the process has descriptors for, and a few descriptors held back for when it has not.</summary>
/// <remarks>
/// A process without descriptors cannot do much more than not accept: it can neither reach an upstream nor load an assembly, and .NET ends it where it must
/// load one. So fewer connections are taken than there are descriptors for, and where others in the process have used those up, the spare ones are let go
/// before
/// anything is said.
/// </remarks>
internal sealed class Descriptors : IDisposable
{
    /// <summary>Left for everything but connections: the spare ones, assemblies and files still to be opened, calls to an authorization server.</summary>
    private const int Reserve = 96;

    /// <summary>Each client connection may need one to the upstream.</summary>
    private const int PerClient = 2;

    /// <summary>An assembly takes two while it is loaded.</summary>
    private const int Spares = 24;

    private readonly List<int> _held = [];

    /// <summary>
    /// The client connections that there is room for, at most <paramref name="wanted"/>; the bound of the process is raised as far as it may be.
    /// </summary>
    public static int RoomFor(int wanted)
    {
        if (!OperatingSystem.IsLinux() || Libc.RaiseDescriptorLimit() is not long limit)
        {
            return wanted; // the system has no such bound, or does not say
        }

        int open = Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();
        return (int)Math.Clamp((limit - open - Reserve) / PerClient, 1, wanted);
    }

    /// <summary>Takes the spare descriptors.</summary>
    /// <returns>False where there is no room for all of them; then none is taken.</returns>
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

    /// <summary>Gives the spare descriptors up, for whoever needs one now.</summary>
    public void LetGo()
    {
        _held.ForEach(Libc.Close);
        _held.Clear();
    }

    public void Dispose() => LetGo();
}
