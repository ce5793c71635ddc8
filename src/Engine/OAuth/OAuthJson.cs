using System.Text.Json.Serialization;

namespace McpProxyFast.OAuth;

/// <summary>The JSON of the OAuth documents and of the store, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ResourceMetadata))]
[JsonSerializable(typeof(ServerMetadata))]
[JsonSerializable(typeof(StoreDocument))]
internal sealed partial class OAuthJson : JsonSerializerContext;
