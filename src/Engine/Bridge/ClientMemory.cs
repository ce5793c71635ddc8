using System.Buffers;
using System.Text;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>What the client has said that a new session has to be told again. Bounded by <see cref="BridgeLimits.MaxSubscriptions"/> and <see
/// cref="BridgeLimits.MaxKeptBytes"/>.</summary>
internal sealed class ClientMemory
{
    /// <summary>Guards everything below.</summary>
    private readonly Lock _gate = new();

    /// <summary>The subscriptions that hold, by resource.</summary>
    private readonly Dictionary<string, byte[]> _subscriptions = new(StringComparer.Ordinal);

    /// <summary>The client's <c>initialize</c>; null before it, and if it is too large to be kept.</summary>
    private byte[]? _initialize;

    /// <summary>Its last <c>logging/setLevel</c>; null for none.</summary>
    private byte[]? _level;

    /// <summary>The lists of which the server has said that it tells of changes, as it was first initialized.</summary>
    public IReadOnlyList<string> ChangingLists { get; set; } = [];

    /// <summary>The client has said that it is initialized.</summary>
    public bool IsInitialized { get; private set; }

    /// <summary>The client's <c>initialize</c>; null if there is none to be sent again.</summary>
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

    /// <summary>Notes a message that the client sends, or one of a batch.</summary>
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

    /// <summary>What is sent behind a new <c>initialize</c>, in its order.</summary>
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

    /// <summary>For debuggers.</summary>
    public override string ToString() => Encoding.UTF8.GetString(_initialize ?? []);
}
