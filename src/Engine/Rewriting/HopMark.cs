using System.Security.Cryptography;
using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Rewriting;

/// <summary>The mark that a proxy leaves on each request that it forwards, by which it knows one that its target has led back to it.</summary>
/// <remarks>
/// A proxy whose target is, by whatever way, the proxy itself would take every connection that the system has for one request. So each says that a request
/// has passed it, in a line of its own, and only it reads that line; those of others go on, so that a ring of several is seen as well. A
/// value says nothing but that two requests have passed the same proxy. <c>Via</c> would say as much, but changes how upstreams answer.
/// </remarks>
internal sealed class HopMark
{
    private const int Digits = 16;

    private readonly byte[] _mark;

    /// <summary>Makes a mark that no other proxy has.</summary>
    public HopMark()
    {
        string mark = RandomNumberGenerator.GetHexString(Digits, lowercase: true);
        _mark = Encoding.ASCII.GetBytes(mark);
        Line = $"McpProxyFast-Hop: {mark}\r\n";
    }

    /// <summary>The complete field line.</summary>
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
