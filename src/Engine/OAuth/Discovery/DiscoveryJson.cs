using System.Text.Json;
using System.Text.Json.Serialization;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>The JSON of the metadata documents, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(ResourceMetadata))]
[JsonSerializable(typeof(ServerMetadata))]
internal sealed partial class DiscoveryJson : JsonSerializerContext;
