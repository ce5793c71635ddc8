using System.Text.Json.Serialization;

namespace McpProxyFast.OAuth.Store;

/// <summary>The JSON of the store, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoreDocument))]
internal sealed partial class StoreJson : JsonSerializerContext;
