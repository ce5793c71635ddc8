using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>What a server wants to know before it goes on with a request (<c>input_required</c>), and what the client has answered so far.</summary>
internal sealed class InputRound
{
    /// <summary>Most requests in one result.</summary>
    public const int MaxAsked = 32;

    /// <summary>What the client has answered, by the server's keys.</summary>
    private readonly List<KeyValuePair<string, ReadOnlySequence<byte>>> _answers = [];

    private InputRound(byte[]? state) => State = state;

    /// <summary>The server's <c>requestState</c>, which goes back to it unchanged, as raw JSON; null if it sent none.</summary>
    public byte[]? State { get; }

    /// <summary>Requests to the client that it has not answered, by their ids; each with the server's key.</summary>
    public Dictionary<MessageId, string> Asked { get; } = [];

    /// <summary>What the client has answered, by the server's keys.</summary>
    public IReadOnlyList<KeyValuePair<string, ReadOnlySequence<byte>>> Answers => _answers;

    /// <summary>Reads a result that says <c>input_required</c>.</summary>
    /// <param name="answer">The response.</param>
    /// <param name="client">Who is to be asked.</param>
    /// <param name="messages">Gives the requests to the client their ids.</param>
    /// <param name="requests">The requests to the client.</param>
    /// <param name="fault">Why the client cannot be asked; null if it can be.</param>
    /// <returns>Null if there is a fault.</returns>
    public static InputRound? Read(
        in ReadOnlySequence<byte> answer, LegacyClient client, ModernMessages messages, out IReadOnlyList<ToClient> requests, out string? fault)
    {
        requests = [];
        List<JsonSlice>? result = JsonSlice.Find(answer, "result"u8) is { } found ? JsonSlice.Members(found.Value) : null;
        JsonSlice? state = Find(result, "requestState");
        JsonSlice? wanted = Find(result, "inputRequests");
        if (state is null && wanted is null)
        {
            fault = "The server wants more input for the request, but its answer has neither inputRequests nor requestState.";
            return null;
        }

        var round = new InputRound(state?.Value.ToArray());
        if (wanted is not { } asked)
        {
            fault = null;
            return round;
        }

        List<JsonSlice>? members = JsonSlice.Members(asked.Value);
        if (members is null || members.Count > MaxAsked)
        {
            fault = $"The server wants more input for the request, but its inputRequests are not an object of at most {MaxAsked} members.";
            return null;
        }

        var all = new List<ToClient>();
        fault = null;
        foreach (JsonSlice member in members)
        {
            if (fault is null && round.Ask(member, client, messages, out fault) is { } request)
            {
                all.Add(request);
            }
        }

        requests = all;
        return fault is null ? round : null;
    }

    /// <summary>Keeps an answer of the client.</summary>
    /// <param name="request">What it answers.</param>
    /// <param name="result">The answer; whoever calls keeps its bytes valid.</param>
    /// <returns>Whether it was the last.</returns>
    public bool Take(MessageId request, in ReadOnlySequence<byte> result)
    {
        bool wasAsked = Asked.Remove(request, out string? key);
        Debug.Assert(wasAsked, "Only what was asked is answered.");
        _answers.Add(new KeyValuePair<string, ReadOnlySequence<byte>>(key!, result));
        return Asked.Count == 0;
    }

    private static JsonSlice? Find(List<JsonSlice>? members, string name)
    {
        int index = members?.FindIndex(member => member.Name == name) ?? -1;
        return index < 0 ? null : members![index];
    }

    private ToClient? Ask(JsonSlice wanted, LegacyClient client, ModernMessages messages, out string? fault)
    {
        string method = JsonSlice.Find(wanted.Value, "method"u8)?.Text ?? "";
        JsonSlice? parameters = JsonSlice.Find(wanted.Value, "params"u8);
        List<JsonSlice>? members = parameters is { } given ? JsonSlice.Members(given.Value) : [];
        string? mode = Find(members, "mode")?.Text;
        fault = members is null ? "The server asks the client for something whose params are not an object." : client.WhyNot(method, mode);
        if (fault is not null)
        {
            return null;
        }

        MessageId id = messages.NextId();
        Asked.Add(id, wanted.Name);
        return new ToClient(MessageSplicer.Build(message =>
        {
            OwnMessages.Open(message.Json);
            OwnMessages.WriteId(message.Json, id);
            message.Json.WriteString("method"u8, method);
            if (parameters is not null)
            {
                message.Json.WriteStartObject("params"u8);
                message.WriteMembers(members!, _ => true);
                WriteElicitationId(message.Json, mode, members!, id);
                message.Json.WriteEndObject();
            }

            message.Json.WriteEndObject();
        }));
    }

    /// <summary>Elicitations by URL had to have an id in 2025-11-25, and have none since.</summary>
    private static void WriteElicitationId(Utf8JsonWriter json, string? mode, List<JsonSlice> members, MessageId id)
    {
        if (mode is "url" && Find(members, "elicitationId") is null)
        {
            json.WritePropertyName("elicitationId"u8);
            json.WriteRawValue(id.Raw.Span, skipInputValidation: true);
        }
    }
}
