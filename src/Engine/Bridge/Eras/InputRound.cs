using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>The questions that a server asks before it goes on with a request (<c>input_required</c>), and the client's answers so far.</summary>
internal sealed class InputRound
{
    /// <summary>The maximum number of questions in one result. If there are more, the request ends with an error.</summary>
    public const int MaxAsked = 32;

    /// <summary>The client's answers, each under the server's key for its question, as raw JSON.</summary>
    private readonly List<KeyValuePair<string, ReadOnlySequence<byte>>> _answers = [];

    private InputRound(byte[]? state) => State = state;

    /// <summary>The server's <c>requestState</c>, which goes back to it unchanged, as raw JSON; null if it sent none.</summary>
    public byte[]? State { get; }

    /// <summary>The requests to the client that it has not answered yet: from the request's id to the server's key for the question.</summary>
    public Dictionary<MessageId, string> Asked { get; } = [];

    /// <summary>The client's answers, each under the server's key for its question, as raw JSON.</summary>
    public IReadOnlyList<KeyValuePair<string, ReadOnlySequence<byte>>> Answers => _answers;

    /// <summary>Reads a result with the <c>resultType</c> <c>input_required</c>, and makes the requests to the client.</summary>
    /// <param name="answer">The server's response.</param>
    /// <param name="client">The client that is asked.</param>
    /// <param name="messages">Makes the ids of the requests to the client.</param>
    /// <param name="requests">The requests to the client.</param>
    /// <param name="fault">Why the client cannot be asked; null if it can be.</param>
    /// <returns>The questions; null if there is a fault.</returns>
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

    /// <summary>Keeps the client's answer to a question.</summary>
    /// <param name="request">The id of the request to the client that it answers.</param>
    /// <param name="result">The raw JSON of the result. The caller must keep its bytes valid as long as this object is used.</param>
    /// <returns>Whether all questions have been answered now.</returns>
    public bool Take(MessageId request, in ReadOnlySequence<byte> result)
    {
        bool wasAsked = Asked.Remove(request, out string? key);
        Debug.Assert(wasAsked, "The caller has found the request among those that were asked.");
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
        fault = members is null ? "The server asks the client for input, but the params of its request are not an object." : client.WhyNot(method, mode);
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

    /// <summary>Adds the <c>elicitationId</c> that an elicitation by URL must have in revision 2025-11-25. Revision 2026-07-28 has no such member.</summary>
    private static void WriteElicitationId(Utf8JsonWriter json, string? mode, List<JsonSlice> members, MessageId id)
    {
        if (mode is "url" && Find(members, "elicitationId") is null)
        {
            json.WritePropertyName("elicitationId"u8);
            json.WriteRawValue(id.Raw.Span, skipInputValidation: true);
        }
    }
}
