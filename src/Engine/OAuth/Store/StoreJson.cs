using System.Text.Json.Serialization;

namespace McpProxyFast.OAuth.Store;

/// <summary>Source-generated JSON reading and writing for the store, so that no reflection is needed.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoreDocument))]
internal sealed partial class StoreJson : JsonSerializerContext;
