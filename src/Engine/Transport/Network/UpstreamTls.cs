using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport.Streams;

namespace McpProxyFast.Transport.Network;

/// <summary>
/// TLS to the upstream. The certificate must be for the upstream's name. Whether it is trusted is decided by the system, or by the callback, which must check
/// the name too.
/// </summary>
/// <param name="host">The name that the certificate must be for.</param>
/// <param name="checkCertificate">Decides whether the certificate is accepted; null to leave that to the system.</param>
internal sealed class UpstreamTls(string host, RemoteCertificateValidationCallback? checkCertificate)
{
    /// <summary>Makes a TLS connection over a socket, and takes the socket over. If the handshake fails, the socket is disposed.</summary>
    /// <exception cref="CertificateRefusedException">The certificate is not accepted.</exception>
    /// <exception cref="PlainHttpException">The server answered in plain HTTP.</exception>
    /// <exception cref="AuthenticationException">The handshake failed, or the certificate could not be checked.</exception>
    /// <exception cref="IOException">The connection ended.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<Connection> SecureAsync(Socket socket, IPAddress address, CancellationToken cancel)
    {
        TlsStream? tls = null;
        CertificateFault? refused = null;
        Exception? thrown = null;
        try
        {
            tls = new TlsStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = host,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    ApplicationProtocols = [SslApplicationProtocol.Http11],
                    RemoteCertificateValidationCallback = (_, certificate, chain, errors) => TryVerify(certificate, chain, errors, out refused, out thrown),
                },
                cancel).ConfigureAwait(false);
            return NetworkStack.Over(socket, tls, address);
        }
        catch (AuthenticationException fault) when (refused is not null)
        {
            await GiveBackAsync(tls, socket).ConfigureAwait(false);
            throw new CertificateRefusedException(refused, fault);
        }
        catch (Exception) when (thrown is not null)
        {
            await GiveBackAsync(tls, socket).ConfigureAwait(false);
            throw new AuthenticationException("the certificate could not be checked:", thrown); // the exception that TLS throws does not name the cause
        }
        catch (Exception) when (tls is { IsAnsweredInHttp: true })
        {
            await GiveBackAsync(tls, socket).ConfigureAwait(false);
            throw new PlainHttpException();
        }
        catch
        {
            await GiveBackAsync(tls, socket).ConfigureAwait(false);
            throw;
        }
    }

    private static async ValueTask GiveBackAsync(TlsStream? tls, Socket socket)
    {
        socket.Dispose(); // disposed first, so that disposing TLS cannot write to it
        if (tls is not null)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Decides whether the certificate is accepted. Catches what the check throws, so that the log can name it.</summary>
    private bool TryVerify(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, out CertificateFault? refused, out Exception? thrown)
    {
        (refused, thrown) = (null, null);
        try
        {
            refused = Check(certificate, chain, errors);
            return refused is null;
        }
        catch (Exception fault)
        {
            thrown = fault;
            return false;
        }
    }

    /// <returns>What is wrong with the certificate; null if nothing is.</returns>
    private CertificateFault? Check(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        bool isGood = checkCertificate is null ? errors is SslPolicyErrors.None : checkCertificate(this, certificate, chain, errors);
        return isGood ? null : Describe(certificate as X509Certificate2, chain, errors);
    }

    private CertificateFault Describe(X509Certificate2? leaf, X509Chain? chain, SslPolicyErrors errors)
    {
        X509ChainStatusFlags flags = X509ChainStatusFlags.NoError;
        foreach (X509ChainStatus status in chain?.ChainStatus ?? [])
        {
            flags |= status.Status;
        }

        return new CertificateFault(
            errors,
            flags is X509ChainStatusFlags.NoError ? "" : flags.ToString(),
            host,
            leaf?.Subject ?? "none",
            leaf?.Issuer ?? "none",
            leaf is null ? default : new DateTimeOffset(leaf.NotBefore),
            leaf is null ? default : new DateTimeOffset(leaf.NotAfter));
    }
}

/// <summary>The upstream's certificate was not accepted.</summary>
internal sealed class CertificateRefusedException(CertificateFault fault, Exception inner) : AuthenticationException(null, inner)
{
    /// <summary>What is wrong with the certificate.</summary>
    public CertificateFault Fault { get; } = fault;
}
