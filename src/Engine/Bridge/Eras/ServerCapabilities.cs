using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Which notifications a server declares in its answer to <c>server/discover</c> or <c>initialize</c>.</summary>
/// <param name="TellsTools">Whether it notifies clients that its list of tools has changed.</param>
/// <param name="TellsPrompts">Whether it notifies clients that its list of prompts has changed.</param>
/// <param name="TellsResources">Whether it notifies clients that its list of resources has changed.</param>
/// <param name="Subscribes">Whether clients can subscribe to changes of a resource.</param>
internal sealed record ServerCapabilities(bool TellsTools, bool TellsPrompts, bool TellsResources, bool Subscribes)
{
    /// <summary>Whether it notifies clients that any of its lists has changed.</summary>
    public bool TellsLists => TellsTools || TellsPrompts || TellsResources;

    /// <summary>Reads the raw JSON of a <c>capabilities</c> object; it may be empty if there is none.</summary>
    public static ServerCapabilities Read(in ReadOnlySequence<byte> capabilities) => new(
        Has(capabilities, "tools"u8, "listChanged"u8),
        Has(capabilities, "prompts"u8, "listChanged"u8),
        Has(capabilities, "resources"u8, "listChanged"u8),
        Has(capabilities, "resources"u8, "subscribe"u8));

    private static bool Has(in ReadOnlySequence<byte> capabilities, ReadOnlySpan<byte> feature, ReadOnlySpan<byte> part) =>
        !capabilities.IsEmpty
        && JsonSlice.Find(capabilities, feature) is { Kind: JsonTokenType.StartObject } found
        && JsonSlice.Find(found.Value, part) is { Kind: JsonTokenType.True };
}
