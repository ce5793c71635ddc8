using System.Buffers;
using System.Text;
using System.Text.Json;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Fuzz.Oracles;
using static McpProxyFast.Fuzz.PropertyBrokenException;

namespace McpProxyFast.Fuzz.Targets;

/// <summary>A message is read the same however it is cut, and as a reader with objects reads it; what is cut out of it or made of it is well formed.</summary>
internal sealed class MessageTarget : IFuzzTarget
{
    private static readonly ToolFilter Filter = new(["a*", "*z", "echo"]);

    public string Name => "messages";

    public string Dictionary => "messages";

    public void Run(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        RpcHead head = MessageScanner.Scan(bytes);
        string whole = Show(head);
        foreach (int cut in Cuts.Of(bytes.Length))
        {
            Require(Show(MessageScanner.Scan(Pieces.Cut(bytes, cut))) == whole, $"Any cut reads the same: whole {whole}, cut at {cut}.");
        }

        Require(Show(MessageScanner.Scan(Pieces.OneByOne(bytes))) == whole, $"Any cut reads the same: whole {whole}, byte by byte.");
        if (DocumentReader.Read(bytes) is { } expected)
        {
            Require(expected.Kind == head.Kind, $"It is {expected.Kind}, not {whole}.");
            Require(head.Kind is MessageKind.Broken || expected.Method == head.Method, $"Its method is '{expected.Method}', not {whole}.");
            Require(head.Kind is MessageKind.Broken || expected.Id == head.Id?.ToString(), $"Its id is {expected.Id}, not {whole}.");
            bool isRevisionHere = head.IsCall && head.Method != Methods.Initialize;
            Require(!isRevisionHere || expected.Revision == head.ProtocolVersion, $"Its revision is {expected.Revision}, not {whole}.");
        }

        if (head.Kind is MessageKind.Broken)
        {
            Require(head.Fault is not MessageFault.None && head.Fault.Sentence().Length > 0, "What is broken says why.");
            return;
        }

        RequireBatch(bytes, head);
        RequireTools(bytes, head);
        RequireHeaders(bytes, head);
    }

    private static void RequireBatch(byte[] bytes, RpcHead head)
    {
        if (head.Kind is not MessageKind.Batch)
        {
            return;
        }

        using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MessageScanner.MaxDepth });
        List<ReadOnlySequence<byte>> parts = BatchReader.Split(new ReadOnlySequence<byte>(bytes), int.MaxValue)!;
        string[] expected = [.. document.RootElement.EnumerateArray().Select(element => element.GetRawText())];
        Require(parts.Select(part => Encoding.UTF8.GetString(part)).SequenceEqual(expected), "A batch is taken apart into its elements.");
    }

    private static void RequireTools(byte[] bytes, RpcHead head)
    {
        if (head.Kind is not MessageKind.Response)
        {
            return;
        }

        ReadOnlySequence<byte> left = Filter.Apply(new ReadOnlySequence<byte>(bytes));
        Require(MessageScanner.Scan(left).Kind is MessageKind.Response, "Without some tools it is still a response.");
        ReadOnlySequence<byte> again = Filter.Apply(left);
        Require(again.ToArray().AsSpan().SequenceEqual(left.ToArray()), "No tool is left to be cut out.");
        Require(Filter.Apply(Pieces.OneByOne(bytes)).ToArray().AsSpan().SequenceEqual(left.ToArray()), "Any cut loses the same tools.");
        var tools = new ToolList();
        tools.Learn(new ReadOnlySequence<byte>(bytes));
    }

    private static void RequireHeaders(byte[] bytes, RpcHead head)
    {
        if (!head.IsCall)
        {
            return;
        }

        foreach (HeaderField field in ModernHeaders.For(head, new ReadOnlySequence<byte>(bytes), new ToolList()).Fields)
        {
            Require(HeaderText.IsPlain(field.Value), $"A field's value is plain, not '{field.Value}'.");
        }
    }

    private static string Show(RpcHead head) =>
        $"{head.Kind} {head.Fault} {head.Id} '{head.Method}' '{head.Name}' {head.ProtocolVersion} {head.ProgressToken} {head.CancelledId} "
        + $"{head.SubscriptionId} {head.TraceParent} {head.TraceState} {head.ResultType} {head.ErrorCode}";
}
