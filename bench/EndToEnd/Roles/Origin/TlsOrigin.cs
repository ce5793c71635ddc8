using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Origin;

/// <summary>The small POST over TLS, beside the event loop and on .NET's own threads, since <see cref="SslStream"/> asks for them.</summary>
internal static class TlsOrigin
{
    public static void Start(OriginPlan plan)
    {
        X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12FromFile(plan.CertificateFile, password: null);
        var context = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true);
        var listener = new TcpListener(IPAddress.Loopback, plan.TlsPort);
        listener.Start();
        _ = AcceptAsync(listener, context, plan);
    }

    private static async Task AcceptAsync(TcpListener listener, SslStreamCertificateContext context, OriginPlan plan)
    {
        while (true)
        {
            TcpClient client = await listener.AcceptTcpClientAsync();
            _ = ServeAsync(client, context, new OriginAnswers(plan));
        }
    }

    private static async Task ServeAsync(TcpClient client, SslStreamCertificateContext certificate, OriginAnswers answers)
    {
        client.NoDelay = true;
        using TcpClient _ = client;
        await using var stream = new SslStream(client.GetStream());
        try
        {
            await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = certificate });
            await AnswerAsync(stream, answers);
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The subject closed or refused the connection; if it was wrong to, the load misses an answer.
        }
    }

    private static async Task AnswerAsync(SslStream stream, OriginAnswers answers)
    {
        var calls = new CallCollector();
        var reader = new MessageReader(calls, readsResponses: false);
        var buffer = new byte[8 * 1024];
        while (await stream.ReadAsync(buffer) is int length and > 0)
        {
            reader.Feed(buffer.AsSpan(0, length));
            if (calls.TakeComplete() is { } call)
            {
                await stream.WriteAsync(answers.Small(call));
            }
        }
    }

    private sealed class CallCollector : IMessageHandler
    {
        private readonly List<byte> _call = [];
        private bool _isComplete;

        public bool IsOpen => true;

        public void OnHead(in MessageHead head)
        {
        }

        public void OnBody(ReadOnlySpan<byte> body) => _call.AddRange(body);

        public void OnEnd() => _isComplete = true;

        public byte[]? TakeComplete()
        {
            if (!_isComplete)
            {
                return null;
            }

            byte[] call = [.. _call];
            _call.Clear();
            _isComplete = false;
            return call;
        }
    }
}
