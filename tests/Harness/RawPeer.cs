using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace McpProxyFast.Harness;

/// <summary>The test's end of one connection: bytes in, bytes out, and every way of leaving.</summary>
public sealed class RawPeer(Stream input, Stream output, Action finish, Action reset, PipeWriter? pipe = null, Socket? socket = null) : IAsyncDisposable
{
    private readonly StringBuilder _unread = new();
    private readonly byte[] _buffer = new byte[64 * 1024];

    /// <summary>The engine has ended its side in an orderly way.</summary>
    public bool Ended { get; private set; }

    /// <summary>The engine has cut the connection: over TCP, bare or under TLS, by a reset; over a host's in-memory pipe by an exception.</summary>
    /// <remarks>Never an end that is merely early: a message that ends with its connection would look whole by that.</remarks>
    public bool WasReset { get; private set; }

    /// <summary>What has come and was not taken.</summary>
    public string Unread => _unread.ToString();

    /// <summary>The port at this end; 0 where there is no socket.</summary>
    public int Port { get; } = ((IPEndPoint?)socket?.LocalEndPoint)?.Port ?? 0;

    public static RawPeer Of(IDuplexPipe pipe) => new(
        pipe.Input.AsStream(),
        pipe.Output.AsStream(),
        () => pipe.Output.Complete(),
        () =>
        {
            var fault = new IOException("The test reset the connection.");
            pipe.Output.Complete(fault);
            pipe.Input.Complete(fault);
        },
        pipe.Output);

    public static RawPeer Of(Socket socket) =>
        Of(socket, new NetworkStream(socket, ownsSocket: true), () => socket.Shutdown(SocketShutdown.Send));

    public static RawPeer Of(Socket socket, SslStream tls) => Of(socket, tls, () =>
    {
        try
        {
            tls.ShutdownAsync().GetAwaiter().GetResult(); // a few bytes, which the system takes at once
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception gone) when (gone is IOException or SocketException or ObjectDisposedException)
        {
            // The engine has reset the connection before.
        }
    });

    private static RawPeer Of(Socket socket, Stream stream, Action finish)
    {
        socket.NoDelay = true;
        return new RawPeer(stream, stream, finish, () =>
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        },
        socket: socket);
    }

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await FlushAsync(bytes);

    /// <summary>Sends what may meet a connection that the engine has closed meanwhile.</summary>
    /// <returns>Whether it was taken, as far as this end can tell.</returns>
    public async Task<bool> TrySendAsync(string text)
    {
        try
        {
            return await FlushAsync(Encoding.Latin1.GetBytes(text));
        }
        catch (Exception gone) when (gone is IOException or InvalidOperationException)
        {
            return false; // closed by the engine: the test judges what it can read
        }
    }

    private async Task<bool> FlushAsync(ReadOnlyMemory<byte> bytes)
    {
        if (pipe is not null)
        {
            return !(await pipe.WriteAsync(bytes).Soon()).IsCompleted; // a pipe whose reader has gone swallows bytes
        }

        await output.WriteAsync(bytes).Soon();
        await output.FlushAsync().Soon();
        return true;
    }

    /// <summary>Sends one byte as urgent data, over plain TCP.</summary>
    public void SendUrgent(byte value) => socket!.Send([value], SocketFlags.OutOfBand);

    /// <summary>Half-closes: no more bytes will be sent.</summary>
    public void Finish() => finish();

    /// <summary>Ends the bytes below TLS, as anybody on the way can, without a word of TLS's.</summary>
    public void FinishBelow() => socket!.Shutdown(SocketShutdown.Send);

    /// <summary>Resets the connection.</summary>
    public void Reset() => reset();

    public void Leave(Leaving how)
    {
        if (how is Leaving.Reset)
        {
            Reset();
        }
        else
        {
            Finish();
        }
    }

    public Task<StrictMessage> ReadRequestAsync() => TakeAsync(text => (StrictReader.TakeRequest(text, out int length), length));

    public Task<StrictMessage> ReadResponseAsync(bool toHead = false) =>
        TakeAsync(text => (StrictReader.TakeResponse(text, toHead, Ended, out int length), length));

    /// <summary>Takes everything up to and including the marker.</summary>
    public async Task<string> ReadThroughAsync(string marker) =>
        (await TakeAsync(text =>
        {
            int end = text.IndexOf(marker, StringComparison.Ordinal);
            return end < 0 ? (null, 0) : (new StrictMessage(text[..(end + marker.Length)], ""), end + marker.Length);
        })).Head;

    /// <summary>Takes everything until the engine closes, or cuts, the connection.</summary>
    public async Task<string> ReadToEndAsync()
    {
        while (await ReadSomeAsync())
        {
        }

        string rest = Unread;
        _unread.Clear();
        return rest;
    }

    /// <summary>Reads once into <see cref="Unread"/>; false at the end.</summary>
    public async Task<bool> ReadSomeAsync()
    {
        int length = await ReadAsync(_buffer);
        _unread.Append(Encoding.Latin1.GetString(_buffer, 0, length));
        return length > 0;
    }

    /// <summary>Reads bytes without keeping them; 0 at the end.</summary>
    public async Task<int> ReadAsync(Memory<byte> bytes)
    {
        try
        {
            int length = Ended || WasReset ? 0 : await input.ReadAsync(bytes).Soon();
            Ended |= length == 0 && !WasReset;
            return length;
        }
        catch (Exception fault) when (fault is IOException or InvalidOperationException)
        {
            WasReset = true; // an outcome that tests look at
            return 0;
        }
    }

    /// <summary>Takes exactly so many bytes.</summary>
    public async Task ReadExactlyAsync(Memory<byte> bytes)
    {
        int early = Math.Min(_unread.Length, bytes.Length);
        Encoding.Latin1.GetBytes(_unread.ToString(0, early), bytes.Span);
        _unread.Remove(0, early);
        for (int read = early; read < bytes.Length;)
        {
            int length = await ReadAsync(bytes[read..]);
            read += length > 0 ? length : throw new InvalidDataException($"The connection ended {bytes.Length - read} bytes early.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await output.DisposeAsync();
            await input.DisposeAsync();
        }
        catch (Exception gone) when (gone is IOException or InvalidOperationException)
        {
            // The engine was faster; there is nothing left to close.
        }
    }

    private async Task<StrictMessage> TakeAsync(Func<string, (StrictMessage? Message, int Length)> take)
    {
        while (true)
        {
            (StrictMessage? message, int length) = take(Unread);
            if (message is { IsWhole: true })
            {
                _unread.Remove(0, length);
                return message;
            }

            if (!await ReadSomeAsync())
            {
                (message, length) = take(Unread);
                if (message is not { IsWhole: true })
                {
                    throw new InvalidDataException($"The connection was {(WasReset ? "reset" : "closed")} within a message: {Unread}");
                }

                _unread.Remove(0, length);
                return message;
            }
        }
    }
}
