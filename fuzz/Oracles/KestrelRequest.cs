using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Internal.Http;

namespace McpProxyFast.Fuzz.Oracles;

/// <summary>A request head as Kestrel's own parser reads it.</summary>
internal sealed class KestrelRequest : IHttpRequestLineHandler, IHttpHeadersHandler
{
    public string Method { get; private set; } = "";

    public string Target { get; private set; } = "";

    public string Version { get; private set; } = "";

    public List<(string Name, string Value)> Fields { get; } = [];

    /// <summary>Why Kestrel refuses the head; empty where it takes it.</summary>
    public string Refusal { get; private set; } = "";

    /// <summary>Bytes that Kestrel took for the head.</summary>
    public long Length { get; private set; }

    /// <summary>Parses a head.</summary>
    public static KestrelRequest Parse(ReadOnlyMemory<byte> head)
    {
        var request = new KestrelRequest();
        var parser = new HttpParser<KestrelRequest>();
        var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(head));
        try
        {
            bool whole = parser.ParseRequestLine(request, ref reader) && parser.ParseHeaders(request, ref reader);
            request.Refusal = whole ? "" : "incomplete";
        }
#pragma warning disable CS0618 // The parser itself throws the obsolete type.
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException refused)
#pragma warning restore CS0618
        {
            // The text before the first quotation mark is the kind of refusal; what follows echoes the input.
            request.Refusal = refused.Message.Split('\'', ':')[0].Trim();
        }

        request.Length = reader.Consumed;
        return request;
    }

    public void OnStartLine(HttpVersionAndMethod versionAndMethod, TargetOffsetPathLength targetPath, Span<byte> startLine)
    {
        string line = Encoding.Latin1.GetString(startLine);
        Method = line[..versionAndMethod.MethodEnd];
        Target = line[targetPath.Offset..];
        Version = versionAndMethod.Version.ToString();
    }

    public void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        Fields.Add((Encoding.Latin1.GetString(name), Encoding.Latin1.GetString(value)));

    public void OnHeadersComplete(bool endStream)
    {
    }

    public void OnStaticIndexedHeader(int index) => throw new NotSupportedException("HTTP/1.1 has no static table.");

    public void OnStaticIndexedHeader(int index, ReadOnlySpan<byte> value) => throw new NotSupportedException("HTTP/1.1 has no static table.");
}
