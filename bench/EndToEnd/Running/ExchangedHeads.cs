using System.Net;
using System.Net.Sockets;
using System.Text;
using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Scenarios;

namespace McpProxyFast.EndToEnd.Running;

/// <summary>The heads of a scenario, as they leave the load and the origin: what a figure per request is the figure of.</summary>
/// <param name="Request">The request's lines.</param>
/// <param name="RequestBytes">How long they are, with the empty line.</param>
/// <param name="Answer">The answer's lines, without a proxy in between.</param>
/// <param name="AnswerBytes">How long they are, with the empty line.</param>
internal sealed record ExchangedHeads(IReadOnlyList<string> Request, int RequestBytes, IReadOnlyList<string> Answer, int AnswerBytes)
{
    private const string LineEnd = "\r\n";
    private const string HeadEnd = "\r\n\r\n";
    private const int TimeoutMilliseconds = 20_000;

    // Longer values say nothing more to a reader, and a token does not belong in a file.
    private const int LongestShownLine = 120;

    public int RequestFields => Request.Count - 1;

    public int AnswerFields => Answer.Count - 1;

    /// <summary>Sends the scenario's request to the origin once and takes both heads.</summary>
    public static ExchangedHeads Of(Scenario scenario, int originPort, Materials materials)
    {
        LoadPlan plan = scenario.Load with { Port = originPort, Token = scenario.CarriesToken ? materials.NewToken() : null };

        // The origin refuses a call that lacks the credential which only the subject adds.
        LoadPlan asked = scenario.IsCheckedByOrigin ? plan with { Target = "/mcp" } : plan;
        return Of(RequestTemplate.For(plan).With(1).Span, Ask(originPort, RequestTemplate.For(asked).With(1).ToArray()));
    }

    public static ExchangedHeads Of(ReadOnlySpan<byte> request, ReadOnlySpan<byte> answer)
    {
        ReadOnlySpan<byte> requestHead = HeadOf(request);
        ReadOnlySpan<byte> answerHead = HeadOf(answer);
        return new(LinesOf(requestHead), requestHead.Length, LinesOf(answerHead), answerHead.Length);
    }

    private static ReadOnlySpan<byte> HeadOf(ReadOnlySpan<byte> message) => message[..(message.IndexOf("\r\n\r\n"u8) + HeadEnd.Length)];

    private static string[] LinesOf(ReadOnlySpan<byte> head) =>
        [.. Encoding.ASCII.GetString(head[..^HeadEnd.Length]).Split(LineEnd).Select(line => line.Length <= LongestShownLine ? line : Shortened(line))];

    private static string Shortened(string line)
    {
        const string scheme = "Bearer ";
        int value = line.IndexOf(scheme, StringComparison.Ordinal) is int at and >= 0 ? at + scheme.Length : line.IndexOf(':') + 2;
        return $"{line[..value]}({line.Length - value} bytes)";
    }

    private static byte[] Ask(int port, byte[] request)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = TimeoutMilliseconds };
        socket.Connect(IPAddress.Loopback, port);
        socket.Send(request);
        var answer = new byte[64 * 1024];
        int length = 0;
        while (answer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            int received = socket.Receive(answer.AsSpan(length));
            length += received > 0 ? received : throw new IOException("The origin closed the connection instead of answering.");
        }

        return answer[..length];
    }
}
