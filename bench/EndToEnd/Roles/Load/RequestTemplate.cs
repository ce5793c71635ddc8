using System.Globalization;
using System.Text;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>A request that is made once and sent many times.</summary>
internal sealed class RequestTemplate
{
    private const int NoId = -1;

    private const string SmallFields =
        "User-Agent: mcp-client/1.0\r\nAccept: application/json, text/event-stream\r\n"
        + $"Mcp-Session-Id: {RealHeads.SessionId}\r\nMCP-Protocol-Version: 2025-11-25\r\n";

    private readonly byte[] _bytes;
    private readonly int _idOffset;

    private RequestTemplate(string head, byte[] body, int idOffset)
    {
        _bytes = [.. Encoding.ASCII.GetBytes(head), .. body];
        _idOffset = idOffset == NoId ? NoId : head.Length + idOffset;
    }

    public static RequestTemplate For(LoadPlan plan)
    {
        if (plan.UploadBytes == 0)
        {
            return plan.DownloadBytes > 0 || plan.OpensStreams ? Get(plan, plan.Target) : Call(plan, plan.Target);
        }

        var body = new byte[plan.UploadBytes];
        Pattern.Fill(body);
        return new(Head(plan, "POST", plan.Target, body.Length), body, NoId);
    }

    public static RequestTemplate Get(LoadPlan plan, string target) => new(Head(plan, "GET", target, length: null), [], NoId);

    public static RequestTemplate Call(LoadPlan plan, string target)
    {
        byte[] body = Encoding.ASCII.GetBytes(SmallPost.Call);
        int idOffset = body.AsSpan().IndexOf(SmallPost.IdOf(body));
        return new(Head(plan, "POST", target, body.Length), body, idOffset);
    }

    /// <summary>The request's bytes with an id. Valid until the next call.</summary>
    public ReadOnlyMemory<byte> With(long id)
    {
        if (_idOffset != NoId)
        {
            Digits.Write(_bytes.AsSpan(_idOffset, SmallPost.IdLength), id);
        }

        return _bytes;
    }

    private static string Head(LoadPlan plan, string method, string target, int? length)
    {
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{plan.Port}\r\n");
        head.Append(plan.Heads is HeadKind.Real ? RealHeads.RequestFields : SmallFields);
        if (plan.Token is not null)
        {
            head.Append(CultureInfo.InvariantCulture, $"Authorization: Bearer {plan.Token}\r\n");
        }

        if (length is not null)
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Type: application/json\r\nContent-Length: {length}\r\n");
        }

        return head.Append("\r\n").ToString();
    }
}
