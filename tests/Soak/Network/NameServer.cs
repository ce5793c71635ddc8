using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpProxyFast.Soak.Network;

/// <summary>A name server for the namespace (RFC 1035): each name of its three behaves in its own way, every other one does not exist.</summary>
/// <remarks>
/// <c>slow.test</c> is answered after a second. <c>dead.test</c> has an IPv6 address that swallows everything, and 127.0.0.1. <c>flaky.test</c> is 127.0.0.1,
/// and every other look-up of it, which is two questions, is a failure of the server.
/// </remarks>
internal sealed class NameServer : IDisposable
{
    /// <summary>An address behind which packets vanish; <c>tests/Soak/network.sh</c> makes it so.</summary>
    public static readonly IPAddress DeadAddress = IPAddress.Parse("fd99::9");

    private const int HeaderLength = 12;
    private const int NoError = 0;
    private const int ServerFailure = 2;
    private const int NameError = 3;
    private const int TypeA = 1;
    private const int TypeAaaa = 28;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private int _failures;
    private int _flakyQuestions;

    /// <summary>Answers on port 53 of the loopback address, until it is disposed.</summary>
    public NameServer()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 53));
        _ = ServeAsync();
    }

    /// <summary>Questions that were answered with a failure of the server.</summary>
    public int Failures => Volatile.Read(ref _failures);

    public void Dispose() => _socket.Dispose();

    private async Task ServeAsync()
    {
        byte[] buffer = new byte[512];
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await _socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                _ = AnswerAsync(buffer.AsSpan(0, received.ReceivedBytes).ToArray(), received.RemoteEndPoint);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // Disposed: nobody asks any more.
        }
    }

    private async Task AnswerAsync(byte[] question, EndPoint from)
    {
        int end = EndOfQuestion(question, out string name);
        int type = BinaryPrimitives.ReadUInt16BigEndian(question.AsSpan(end - 4));
        if (name == "slow.test")
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        int code = name switch
        {
            "slow.test" or "dead.test" => NoError,
            "flaky.test" => (Interlocked.Increment(ref _flakyQuestions) - 1) / 2 % 2 == 1 ? ServerFailure : NoError,
            _ => NameError,
        };
        if (code == ServerFailure)
        {
            Interlocked.Increment(ref _failures);
        }

        IPAddress? address = (code, type, name) switch
        {
            (NoError, TypeA, _) => IPAddress.Loopback,
            (NoError, TypeAaaa, "dead.test") => DeadAddress,
            _ => null,
        };
        await _socket.SendToAsync(Answer(question.AsSpan(0, end), code, address), from);
    }

    /// <summary>Finds the end of the one question, and its name.</summary>
    private static int EndOfQuestion(byte[] message, out string name)
    {
        var labels = new List<string>();
        int at = HeaderLength;
        for (; message[at] != 0; at += message[at] + 1)
        {
            labels.Add(Encoding.ASCII.GetString(message, at + 1, message[at]));
        }

        name = string.Join('.', labels).ToLowerInvariant();
        return at + 5; // the root label, the type and the class
    }

    private static byte[] Answer(ReadOnlySpan<byte> question, int code, IPAddress? address)
    {
        byte[] data = address?.GetAddressBytes() ?? [];
        var answer = new List<byte>(question.ToArray());
        answer[2] = 0x81; // an answer; recursion was asked for
        answer[3] = (byte)(0x80 | code); // recursion is available
        answer[7] = (byte)(address is null ? 0 : 1);
        answer[9] = answer[11] = 0; // no authority, and no additional record back
        if (address is null)
        {
            return [.. answer];
        }

        const byte pointerToTheName = 0xC0;
        answer.AddRange([pointerToTheName, HeaderLength]);
        answer.AddRange([0, (byte)(data.Length == 4 ? TypeA : TypeAaaa), 0, 1]);
        answer.AddRange([0, 0, 0, 0]); // to be kept for no time
        answer.AddRange([0, (byte)data.Length, .. data]);
        return [.. answer];
    }
}
