using System.Buffers;
using System.Text;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>
/// The client's messages that must be sent again in a new session. Their number and size are bounded by <see cref="BridgeLimits.MaxSubscriptions"/> and
/// <see cref="BridgeLimits.MaxKeptBytes"/>.
/// </summary>
internal sealed class ClientMemory
{
    /// <summary>Guards the fields below.</summary>
    private readonly Lock _gate = new();

    /// <summary>The <c>resources/subscribe</c> requests without a later <c>resources/unsubscribe</c>, by the resource's URI.</summary>
    private readonly Dictionary<string, byte[]> _subscriptions = new(StringComparer.Ordinal);

    /// <summary>The client's last <c>initialize</c>; null if there was none, or it was too large to be kept.</summary>
    private byte[]? _initialize;

    /// <summary>The client's last <c>logging/setLevel</c> request; null if there was none, or it was too large to be kept.</summary>
    private byte[]? _level;

    /// <summary>The methods of the <c>list_changed</c> notifications that the server declared in its answer to the client's <c>initialize</c>.</summary>
    public IReadOnlyList<string> ChangingLists { get; set; } = [];

    /// <summary>Whether the client has sent <c>notifications/initialized</c> since its last <c>initialize</c>.</summary>
    public bool IsInitialized { get; private set; }

    /// <summary>The client's last <c>initialize</c>; null if there was none, or it was too large to be kept.</summary>
    public byte[]? Initialize
    {
        get
        {
            lock (_gate)
            {
                return _initialize;
            }
        }
    }

    /// <summary>Keeps a message of the client, or one message of a batch, if a new session needs it.</summary>
    public void Note(RpcHead head, in ReadOnlySequence<byte> bytes)
    {
        if (head.Method is not (Methods.Initialize or Methods.Initialized or Methods.SetLevel or Methods.Subscribe or Methods.Unsubscribe))
        {
            return;
        }

        byte[]? kept = bytes.Length <= BridgeLimits.MaxKeptBytes ? bytes.ToArray() : null;
        lock (_gate)
        {
            switch (head.Method)
            {
                case Methods.Initialize:
                    (_initialize, _level, IsInitialized) = (kept, null, false);
                    _subscriptions.Clear();
                    break;
                case Methods.Initialized:
                    IsInitialized = true;
                    break;
                case Methods.SetLevel:
                    _level = kept;
                    break;
                case Methods.Subscribe when head.Name is { } uri && kept is not null && _subscriptions.Count < BridgeLimits.MaxSubscriptions:
                    _subscriptions[uri] = kept;
                    break;
                case Methods.Unsubscribe when head.Name is { } uri:
                    _subscriptions.Remove(uri);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>Returns the messages that a new session needs after its <c>initialize</c>, in the order in which they are sent.</summary>
    public IReadOnlyList<byte[]> BehindInitialize()
    {
        lock (_gate)
        {
            return
            [
                .. IsInitialized ? new[] { ErrorMessage.Notification(Methods.Initialized) } : [],
                .. _level is { } level ? new[] { level } : [],
                .. _subscriptions.Values,
            ];
        }
    }

    /// <summary>The text that debuggers show: the client's last <c>initialize</c>.</summary>
    public override string ToString() => Encoding.UTF8.GetString(_initialize ?? []);
}
