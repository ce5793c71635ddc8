using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace McpProxyFast.Transport.Epoll;

/// <summary>
/// Linux system calls that <see cref="System.Net.Sockets.Socket"/> does not offer. Apart from <see cref="FileOwner"/>, the engine makes native calls only here.
/// </summary>
internal static unsafe partial class Libc
{
    public const int EIntr = 4;
    public const int EAgain = 11;
    public const int EInProgress = 115;
    public const int EConnAborted = 103;

    public const uint EpollIn = 0x001;
    public const uint EpollPri = 0x002;
    public const uint EpollOut = 0x004;
    public const uint EpollErr = 0x008;
    public const uint EpollHup = 0x010;
    public const uint EpollRdHup = 0x2000;
    public const uint EpollEdge = 1u << 31;

    private const string C = "libc";
    private const int MsgNoSignal = 0x4000;
    private const int MsgPeek = 0x02;
    private const int ShutdownBoth = 2;
    private const int ShutdownWrite = 1;
    private const int SolSocket = 1;
    private const int SoError = 4;
    private const int SoKeepAlive = 9;
    private const int SoOobInline = 10;
    private const int SoLinger = 13;
    private const int IpProtoTcp = 6;
    private const int TcpNoDelay = 1;
    private const int TcpKeepIdle = 4;
    private const int TcpKeepInterval = 5;
    private const int TcpKeepCount = 6;
    private const int SockStream = 1;
    private const int SockNonBlock = 0x800;
    private const int SockCloExec = 0x80000;
    private const int EpollCloExec = 0x80000;
    private const int EpollCtlAdd = 1;

    /// <summary>The error of this thread's last call. Must be read before the next call.</summary>
    /// <remarks>
    /// <c>SetLastError</c> is not used, since it would clear and copy the error around every call. Reading it directly is safe here: all arguments below are
    /// blittable, so no other code runs between a call and its return, and if a garbage collection delays the return, the runtime preserves the error.
    /// </remarks>
    public static int LastError => Marshal.GetLastSystemError();

    /// <summary>The size of <c>struct epoll_event</c>, which is packed on x86-64 only.</summary>
    public static int EventSize { get; } = RuntimeInformation.ProcessArchitecture is Architecture.X64 ? 12 : 16;

    private static int EventDataOffset { get; } = EventSize - 8;

    public static int CreateEpoll() => epoll_create1(EpollCloExec);

    /// <summary>Waits for events, at most for the given milliseconds; -1 waits without a limit.</summary>
    public static int Wait(int epoll, byte* events, int most, int milliseconds) => epoll_wait(epoll, events, most, milliseconds);

    public static uint EventFlags(byte* events, int index) => Unsafe.ReadUnaligned<uint>(events + (index * EventSize));

    public static ulong EventData(byte* events, int index) => Unsafe.ReadUnaligned<ulong>(events + (index * EventSize) + EventDataOffset);

    /// <summary>Adds a descriptor, edge-triggered. It stays in epoll until it is closed.</summary>
    public static int Add(int epoll, int fd, uint flags, ulong data)
    {
        byte* added = stackalloc byte[16];
        Unsafe.WriteUnaligned(added, flags);
        Unsafe.WriteUnaligned(added + EventDataOffset, data);
        return epoll_ctl(epoll, EpollCtlAdd, fd, added);
    }

    public static nint Receive(int fd, byte* buffer, int length) => recv(fd, buffer, length, 0);

    public static nint Send(int fd, byte* buffer, int length) => send(fd, buffer, length, MsgNoSignal);

    /// <summary>Sends two buffers in one call.</summary>
    public static nint Send(int fd, byte* first, int firstLength, byte* second, int secondLength)
    {
        IoVector* pieces = stackalloc IoVector[2];
        pieces[0] = new IoVector { Base = first, Length = firstLength };
        pieces[1] = new IoVector { Base = second, Length = secondLength };
        MessageHeader message = default;
        message.Pieces = pieces;
        message.PieceCount = 2;
        return sendmsg(fd, &message, MsgNoSignal);
    }

    public static int OpenStream(int addressFamily) => socket(addressFamily, SockStream | SockNonBlock | SockCloExec, 0);

    public static int Connect(int fd, ReadOnlySpan<byte> address)
    {
        fixed (byte* start = address)
        {
            return connect(fd, start, (uint)address.Length);
        }
    }

    /// <summary>Accepts one connection as a non-blocking socket. <paramref name="address"/> receives the peer's address.</summary>
    public static int Accept(int fd, Span<byte> address)
    {
        uint length = (uint)address.Length;
        fixed (byte* start = address)
        {
            return accept4(fd, start, &length, SockNonBlock | SockCloExec);
        }
    }

    /// <summary>Switches Nagle's algorithm off, so that data is sent without delay. Connections of a listening socket inherit this.</summary>
    public static void SetNoDelay(int fd) => Set(fd, IpProtoTcp, TcpNoDelay, 1);

    /// <summary>Delivers urgent data inline, like other bytes. Connections of a listening socket inherit this.</summary>
    public static void SetUrgentInline(int fd) => Set(fd, SolSocket, SoOobInline, 1);

    /// <summary>Makes the system probe a silent peer.</summary>
    public static void SetKeepAlive(int fd, int idleSeconds, int intervalSeconds, int probes)
    {
        Set(fd, SolSocket, SoKeepAlive, 1);
        Set(fd, IpProtoTcp, TcpKeepIdle, idleSeconds);
        Set(fd, IpProtoTcp, TcpKeepInterval, intervalSeconds);
        Set(fd, IpProtoTcp, TcpKeepCount, probes);
    }

    /// <summary>Makes the next close send a reset.</summary>
    public static void SetReset(int fd)
    {
        int* linger = stackalloc int[2] { 1, 0 };
        _ = setsockopt(fd, SolSocket, SoLinger, linger, 2 * sizeof(int));
    }

    /// <summary>Returns the pending error of a descriptor and clears it; 0 if there is none.</summary>
    public static int TakeError(int fd)
    {
        int error = 0;
        uint length = sizeof(int);
        return getsockopt(fd, SolSocket, SoError, &error, &length) == 0 ? error : LastError;
    }

    /// <summary>Asks the system for the connection's state. Returns false if this system does not report it.</summary>
    public static bool TryReadTcpInfo(int fd, out TcpInfo.Facts facts)
    {
        byte* info = stackalloc byte[TcpInfo.Bytes];
        uint length = TcpInfo.Bytes;
        facts = default;
        bool isSaid = getsockopt(fd, IpProtoTcp, TcpInfo.Option, info, &length) == 0;
        return isSaid && TcpInfo.TryRead(new ReadOnlySpan<byte>(info, (int)length), out facts);
    }

    /// <summary>Checks what can be received, without consuming it.</summary>
    public static Arrival Look(int fd)
    {
        byte first;
        nint length = recv(fd, &first, 1, MsgPeek);
        return length > 0 ? Arrival.Bytes
            : length < 0 && LastError is EAgain or EIntr ? Arrival.Nothing
            : Arrival.End;
    }

    public static void ShutdownSend(int fd) => _ = shutdown(fd, ShutdownWrite);

    public static void Shutdown(int fd) => _ = shutdown(fd, ShutdownBoth);

    public static void Close(int fd) => _ = close(fd);

    public static int OpenEvent() => eventfd(0, SockNonBlock | SockCloExec);

    public static void Signal(int eventFd)
    {
        long one = 1;
        _ = write(eventFd, &one, sizeof(long));
    }

    /// <summary>Raises the process's soft descriptor limit to the hard limit. In framework-dependent programs, the runtime does this itself.</summary>
    /// <returns>The limit that is now in force; null if the system does not report it.</returns>
    public static long? RaiseDescriptorLimit()
    {
        const int descriptors = 7;
        nuint* bounds = stackalloc nuint[2];
        if (getrlimit(descriptors, bounds) != 0)
        {
            return null;
        }

        if (bounds[0] < bounds[1])
        {
            nuint soft = bounds[0];
            bounds[0] = bounds[1];
            bounds[0] = setrlimit(descriptors, bounds) == 0 ? bounds[1] : soft;
        }

        return (long)Math.Min(bounds[0], int.MaxValue);
    }

    private static void Set(int fd, int level, int option, int value) => _ = setsockopt(fd, level, option, &value, sizeof(int));

    [LibraryImport(C)]
    private static partial int epoll_create1(int flags);

    [LibraryImport(C)]
    private static partial int epoll_ctl(int epoll, int operation, int fd, void* added);

    [LibraryImport(C)]
    private static partial int epoll_wait(int epoll, void* events, int most, int milliseconds);

    [LibraryImport(C)]
    private static partial nint recv(int fd, void* buffer, nint length, int flags);

    [LibraryImport(C)]
    private static partial nint send(int fd, void* buffer, nint length, int flags);

    [LibraryImport(C)]
    private static partial nint sendmsg(int fd, void* message, int flags);

    [LibraryImport(C)]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport(C)]
    private static partial int connect(int fd, void* address, uint length);

    [LibraryImport(C)]
    private static partial int accept4(int fd, void* address, uint* length, int flags);

    [LibraryImport(C)]
    private static partial int setsockopt(int fd, int level, int option, void* value, uint length);

    [LibraryImport(C)]
    private static partial int getsockopt(int fd, int level, int option, void* value, uint* length);

    [LibraryImport(C)]
    private static partial int shutdown(int fd, int how);

    [LibraryImport(C)]
    private static partial int close(int fd);

    [LibraryImport(C)]
    private static partial int getrlimit(int resource, nuint* bounds);

    [LibraryImport(C)]
    private static partial int setrlimit(int resource, nuint* bounds);

    [LibraryImport(C)]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport(C)]
    private static partial nint write(int fd, void* buffer, nint length);

    private struct IoVector
    {
        public byte* Base;
        public nint Length;
    }

    private struct MessageHeader
    {
        public void* Name;
        public nint NameLength;
        public IoVector* Pieces;
        public nint PieceCount;
        public void* Control;
        public nint ControlLength;
        public nint Flags;
    }
}
