using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Tests.Support;

/// <summary>What a join of eras wants done, as tests ask for it.</summary>
internal static class Actions
{
    /// <summary>The one message that went to the server.</summary>
    public static JsonElement Sent(IReadOnlyList<EraAction> actions)
    {
        ToServer sent = Assert.IsType<ToServer>(Assert.Single(actions));
        JsonElement message = Parse(sent.Message);
        Assert.Equal(sent.Id?.ToString(), message.TryGetProperty("id", out JsonElement id) ? id.GetRawText() : null);
        return message;
    }

    /// <summary>The one message that went to the client.</summary>
    public static JsonElement Told(IReadOnlyList<EraAction> actions) => Parse(Assert.IsType<ToClient>(Assert.Single(actions)).Message);

    /// <summary>All messages that went to the client.</summary>
    public static IReadOnlyList<JsonElement> AllTold(IReadOnlyList<EraAction> actions) =>
        [.. actions.OfType<ToClient>().Select(action => Parse(action.Message))];

    /// <summary>The code of an error.</summary>
    public static int Code(this JsonElement error) => error.GetProperty("error").GetProperty("code").GetInt32();

    private static JsonElement Parse(ReadOnlySequence<byte> message)
    {
        Assert.NotEqual(MessageKind.Broken, MessageScanner.Scan(message).Kind);
        return JsonDocument.Parse(message).RootElement;
    }
}
