using System.ComponentModel;
using System.Runtime.InteropServices;

namespace McpProxyFast.EndToEnd.Wire;

/// <summary>The three epoll calls that .NET does not offer; level-triggered, one instance per thread.</summary>
/// <remarks><c>epoll_pwait2</c> (Linux 5.11, glibc 2.35) is what gives waits finer than a millisecond.</remarks>
internal sealed unsafe partial class Epoll : IDisposable
{
    public const uint Readable = 0x1;
    public const uint Writable = 0x4;

    private const int Capacity = 512;
    private const int Interrupted = 4;
    private const int SetTimerSlack = 29;

    // The kernel packs struct epoll_event on x86-64 and nowhere else.
    private static readonly bool Packed = RuntimeInformation.ProcessArchitecture is Architecture.X64;
    private static readonly int Stride = Packed ? 12 : 16;
    private static readonly int DescriptorOffset = Packed ? 4 : 8;

    private readonly int _epoll = Checked(epoll_create1(0));
    private readonly byte[] _events = GC.AllocateArray<byte>(Capacity * 16, pinned: true);

    // Without this the kernel may add 50 µs to every timed wait, which would count as latency of the subject.
    public Epoll() => _ = prctl(SetTimerSlack, 1, 0, 0, 0);

    public void Dispose() => _ = close(_epoll);

    public void Add(int descriptor, uint interest) => Control(1, descriptor, interest);

    public void Remove(int descriptor) => Control(2, descriptor, 0);

    public void Modify(int descriptor, uint interest) => Control(3, descriptor, interest);

    /// <summary>Waits at most <paramref name="nanoseconds"/> and says how many descriptors are ready.</summary>
    public int Wait(long nanoseconds)
    {
        var timeout = new Timespec { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
        fixed (byte* events = _events)
        {
            int count = epoll_pwait2(_epoll, events, Capacity, &timeout, null);
            return count < 0 && Marshal.GetLastPInvokeError() == Interrupted ? 0 : Checked(count);
        }
    }

    public (int Descriptor, uint Ready) this[int index]
    {
        get
        {
            ReadOnlySpan<byte> entry = _events.AsSpan(index * Stride, Stride);
            return (MemoryMarshal.Read<int>(entry[DescriptorOffset..]), MemoryMarshal.Read<uint>(entry));
        }
    }

    private void Control(int operation, int descriptor, uint interest)
    {
        byte* entry = stackalloc byte[16];
        *(uint*)entry = interest;
        *(int*)(entry + DescriptorOffset) = descriptor;
        Checked(epoll_ctl(_epoll, operation, descriptor, entry));
    }

    private static int Checked(int result) => result >= 0 ? result : throw new Win32Exception();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int descriptor, byte* entry);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_pwait2(int epoll, byte* events, int capacity, Timespec* timeout, void* signals);

    [LibraryImport("libc")]
    private static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
