using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;

namespace McpProxyFast.Engine.Tests.Transport.Channels;

/// <summary>What carries the bytes of a connection under test.</summary>
public enum Kind
{
    /// <summary>A socket in an event loop.</summary>
    Epoll,

    /// <summary>A socket of the runtime.</summary>
    Socket,

    /// <summary>TLS over a socket of the runtime.</summary>
    Tls,

    /// <summary>A host's pipe as it comes: its continuations run on the thread pool.</summary>
    Pipe,

    /// <summary>A host's pipe whose continuations run where it is written.</summary>
    InlinePipe,

    /// <summary>A host's pipe over a stream, as a host has it that ends TLS by itself.</summary>
    StreamPipe,
}

/// <summary>A connection of one kind and its peer, who is played by the test.</summary>
internal sealed class ChannelPair : IAsyncDisposable
{
    private static readonly X509Certificate2 Certificate = MakeCertificate();
    private static readonly PipeOptions Inline = new(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);

    private readonly List<IDisposable> _owned = [];

    /// <summary>Cuts the peer's end, as a reset.</summary>
    private readonly Action _reset;

    /// <summary>Ends the peer's sending direction.</summary>
    private readonly Action _finish;

    private ChannelPair(Connection connection, Stream peer, Action finish, Action reset)
    {
        Connection = connection;
        Peer = peer;
        _finish = finish;
        _reset = reset;
    }

    public Connection Connection { get; }

    /// <summary>The peer's bytes.</summary>
    public Stream Peer { get; }

    public static async Task<ChannelPair> MakeAsync(Kind kind) => kind switch
    {
        Kind.Pipe => OverPipes(PipeOptions.Default),
        Kind.InlinePipe => OverPipes(Inline),
        Kind.StreamPipe => await OverStreamPipeAsync(),
        _ => await OverSocketAsync(kind),
    };

    public void Finish() => _finish();

    public void Reset() => _reset();

    /// <summary>Sends one byte as urgent data. Only over plain TCP.</summary>
    public void SendUrgent(byte value) => ((NetworkStream)Peer).Socket.Send([value], SocketFlags.OutOfBand);

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        await Peer.WriteAsync(bytes).AsTask().Soon();
        await Peer.FlushAsync().Soon();
    }

    /// <summary>The peer reads to the end.</summary>
    /// <returns>The bytes, and whether the end was an orderly one.</returns>
    public async Task<(byte[] Bytes, bool IsOrderly)> PeerReadsToEndAsync()
    {
        var all = new MemoryStream();
        try
        {
            await Peer.CopyToAsync(all).Soon();
            return (all.ToArray(), true);
        }
        catch (IOException)
        {
            return (all.ToArray(), false);
        }
    }

    /// <summary>Closes the connection and checks that everything is given back.</summary>
    public async Task CloseAsync(bool reset = false)
    {
        Connection.Close(reset);
        await Connection.Closed.Soon();
        Assert.Equal(0, Connection.HeldBuffers);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _owned.ForEach(static one => one.Dispose());
    }

    private static ChannelPair OverPipes(PipeOptions options)
    {
        var toUs = new Pipe(options);
        var fromUs = new Pipe(options);
        var peer = new DuplexStream(fromUs.Reader, toUs.Writer);
        return new ChannelPair(
            NetworkStack.Over(new Duplex(toUs.Reader, fromUs.Writer), null),
            peer,
            () => toUs.Writer.Complete(),
            () =>
            {
                toUs.Writer.Complete(new IOException("reset"));
                fromUs.Reader.Complete(new IOException("reset"));
            });
    }

    private static async Task<ChannelPair> OverStreamPipeAsync()
    {
        (Socket ours, Socket theirs) = await ConnectAsync();
        var stream = new NetworkStream(ours, ownsSocket: true);
        Connection connection = NetworkStack.Over(new Duplex(PipeReader.Create(stream), PipeWriter.Create(stream)), null);
        return Over(connection, new NetworkStream(theirs), theirs);
    }

    private static async Task<ChannelPair> OverSocketAsync(Kind kind)
    {
        if (kind is Kind.Tls)
        {
            (Socket ours, Socket theirs) = await ConnectAsync();
            var server = new SslStream(new NetworkStream(theirs));
            var client = new SslStream(new NetworkStream(ours, ownsSocket: true));
            var asServer = new SslServerAuthenticationOptions { ServerCertificate = Certificate, EnabledSslProtocols = SslProtocols.None };
            var asClient = new SslClientAuthenticationOptions { TargetHost = "peer.test", RemoteCertificateValidationCallback = Trust };
            await Task.WhenAll(server.AuthenticateAsServerAsync(asServer), client.AuthenticateAsClientAsync(asClient)).Soon();
            return Over(NetworkStack.Over(ours, client, null), server, theirs);
        }

        var network = new NetworkStack(portable: kind is Kind.Socket);
        using Listener listener = network.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await peer.ConnectAsync(listener.LocalEndPoint);
        ChannelPair pair = Over((await listener.AcceptAsync().Soon())!, new NetworkStream(peer), peer);
        pair._owned.Add(network);
        return pair;
    }

    private static ChannelPair Over(Connection connection, Stream peer, Socket socket)
    {
        var pair = new ChannelPair(
            connection,
            peer,
            () => socket.Shutdown(SocketShutdown.Send),
            () =>
            {
                socket.LingerState = new LingerOption(true, 0);
                socket.Dispose();
            });
        pair._owned.Add(peer);
        pair._owned.Add(socket);
        return pair;
    }

    private static async Task<(Socket Ours, Socket Theirs)> ConnectAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var ours = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await ours.ConnectAsync(listener.LocalEndPoint!);
        Socket theirs = await listener.AcceptAsync();
        theirs.NoDelay = true;
        NetworkStack.SetOptions(ours);
        return (ours, theirs);
    }

    private static bool Trust(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        certificate?.GetCertHashString() == Certificate.Thumbprint;

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=peer.test", key, HashAlgorithmName.SHA256);
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>The test's ends of two pipes as one stream.</summary>
    private sealed class DuplexStream(PipeReader input, PipeWriter output) : Stream
    {
        private readonly Stream _input = input.AsStream(leaveOpen: true);
        private readonly Stream _output = output.AsStream(leaveOpen: true);

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _input.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            _output.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
