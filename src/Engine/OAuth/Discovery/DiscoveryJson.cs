using System.Text.Json;
using System.Text.Json.Serialization;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>Source-generated JSON reading for metadata documents, so that no reflection is needed.</summary>
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class DiscoveryJson : JsonSerializerContext;
