using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>What a server can do, by its <c>server/discover</c> or <c>initialize</c>.</summary>
/// <param name="TellsTools">Whether it tells that its list of tools has changed.</param>
/// <param name="TellsPrompts">Whether it tells that its list of prompts has changed.</param>
/// <param name="TellsResources">Whether it tells that its list of resources has changed.</param>
/// <param name="Subscribes">Whether it tells that a resource has changed.</param>
internal sealed record ServerCapabilities(bool TellsTools, bool TellsPrompts, bool TellsResources, bool Subscribes)
{
    /// <summary>Whether it tells that a list has changed.</summary>
    public bool TellsLists => TellsTools || TellsPrompts || TellsResources;

    /// <summary>Reads a <c>capabilities</c> object; empty for one that is not there.</summary>
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
