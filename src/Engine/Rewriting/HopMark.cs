using System.Globalization;
using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Rewriting;

/// <summary>
/// The mark that a proxy adds to each request that it forwards. If the proxy's target leads the request back to it, the proxy recognises its mark.
/// </summary>
/// <remarks>
/// If a proxy's target leads back to the proxy, directly or not, one request would use up all connections of the system. So each proxy adds a field line with
/// its own mark and looks only for its own mark. It forwards the lines of other proxies, so that a ring of several proxies is detected too. Servers learn from
/// a mark only that two requests have passed the same proxy. They would learn as much from <c>Via</c>, but some answer differently to requests that have it.
/// </remarks>
internal sealed class HopMark
{
    private const int Digits = 16;

    private readonly byte[] _mark;

    /// <summary>Makes a random mark, long enough to differ from that of any other proxy.</summary>
    public HopMark()
    {
        string mark = Random.Shared.NextInt64().ToString($"x{Digits}", CultureInfo.InvariantCulture); // not secret: it only has to be unique
        _mark = Encoding.ASCII.GetBytes(mark);
        Line = $"McpProxyFast-Hop: {mark}\r\n";
    }

    /// <summary>The complete field line with the mark.</summary>
    public string Line { get; }

    /// <summary>Whether the request has passed this proxy before.</summary>
    public bool IsOn(RequestHead request) => request.Fields.Has(KnownField.ProxyHop) && IsInAnyLine(request);

    private bool IsInAnyLine(RequestHead request)
    {
        foreach (ref FieldSlot slot in request.Fields.Slots)
        {
            if (slot.Known is KnownField.ProxyHop && request.Value(slot).IndexOf(_mark) >= 0)
            {
                return true;
            }
        }

        return false;
    }
}
