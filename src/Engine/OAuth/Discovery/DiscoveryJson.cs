using System.Text.Json;
using System.Text.Json.Serialization;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>The JSON of the metadata documents, without reflection.</summary>
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class DiscoveryJson : JsonSerializerContext;
