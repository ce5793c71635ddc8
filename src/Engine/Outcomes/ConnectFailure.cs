using System.ComponentModel;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Text;

namespace McpProxyFast.Outcomes;

/// <summary>
/// Why no connection to the upstream could be made: each address that was tried, and why it failed. The text is built only when it is logged.
/// </summary>
/// <param name="Host">The name or address of the upstream's host.</param>
/// <param name="LookUp">The exception of the name look-up; null if the look-up did not fail.</param>
/// <param name="Attempts">The addresses that failed, in the order in which they were tried.</param>
internal sealed record ConnectFailure(string Host, Exception? LookUp, IReadOnlyList<FailedAttempt> Attempts)
{
    /// <summary>A sentence for the client that is more exact than the sentence of the fault; null if there is none.</summary>
    public string? Sentence => Attempts.Any(static attempt => attempt.Cause is PlainHttpException)
        ? $"The TLS handshake with the upstream failed: {PlainHttpException.Text}."
        : null;

    /// <summary>Returns one line, such as <c>upstream.example: 192.0.2.1:443: Connection refused (errno 111); 192.0.2.2:443: no answer in time</c>.</summary>
    public override string ToString()
    {
        var line = new StringBuilder(Host);
        string before = ": ";
        if (LookUp is not null)
        {
            line.Append(before).Append(CauseText.Of(LookUp));
            before = "; ";
        }

        foreach (FailedAttempt attempt in Attempts)
        {
            line.Append(before).Append(attempt);
            before = "; ";
        }

        return line.ToString();
    }
}

/// <summary>One failed attempt to connect to an address.</summary>
/// <param name="Address">The address.</param>
/// <param name="Reason">Whether the TCP connection or the TLS handshake failed.</param>
/// <param name="Cause">The exception; null if there was no answer in time.</param>
/// <param name="Certificate">What is wrong with the upstream's certificate; null if the certificate is not the cause.</param>
internal sealed record FailedAttempt(IPEndPoint Address, FaultReason Reason, Exception? Cause, CertificateFault? Certificate)
{
    public override string ToString()
    {
        string cause = Certificate?.ToString()
            ?? (Cause is not null ? CauseText.Of(Cause) : Reason is FaultReason.UpstreamTlsFailed ? "no TLS handshake in time" : "no answer in time");
        return $"{Address}: {cause}";
    }
}

/// <summary>What is wrong with the certificate of an upstream.</summary>
/// <param name="Errors">The kinds of errors that the check of the certificate has found.</param>
/// <param name="Chain">The errors of the certificate's chain, as the system names them; empty if there are none.</param>
/// <param name="Name">The host name for which the certificate was checked.</param>
/// <param name="Subject">The certificate's subject, as a distinguished name.</param>
/// <param name="Issuer">The certificate's issuer, as a distinguished name.</param>
/// <param name="NotBefore">When the certificate becomes valid.</param>
/// <param name="NotAfter">When the certificate expires.</param>
internal sealed record CertificateFault(
    SslPolicyErrors Errors, string Chain, string Name, string Subject, string Issuer, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    private const int MaxCharacters = 200;

    public override string ToString()
    {
        string chain = Chain.Length == 0 ? "" : $" ({Chain})";
        string times = string.Create(CultureInfo.InvariantCulture, $"valid from {NotBefore.UtcDateTime:u} to {NotAfter.UtcDateTime:u}");
        string whose = $"subject {PlainText.Of(Subject, MaxCharacters)}, issuer {PlainText.Of(Issuer, MaxCharacters)}";
        return $"certificate refused: {Errors}{chain}; asked for {Name}, {whose}, {times}";
    }
}

/// <summary>The server answered a TLS handshake with an HTTP response: it does not speak TLS on this port.</summary>
internal sealed class PlainHttpException() : Exception(Text)
{
    public const string Text = "the server answered in plain HTTP";
}

/// <summary>Describes an exception in one line: its message, the number of a system error (errno), and the messages of its inner exceptions.</summary>
internal static class CauseText
{
    public static string Of(Exception fault)
    {
        string text = fault is Win32Exception system ? $"{system.Message} (errno {system.NativeErrorCode})" : fault.Message;
        return fault.InnerException is null ? text : $"{text} {Of(fault.InnerException)}";
    }
}
