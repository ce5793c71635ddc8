using System.Diagnostics;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>The requests that have not been answered. The caller whose call ends a request must answer the request, and nobody else may.</summary>
internal sealed class OpenRequests
{
    /// <summary>Guards <see cref="_open"/>, and the states of the requests in it.</summary>
    private readonly Lock _gate = new();

    /// <summary>The open requests by id: the client's, and those that the bridge itself has made.</summary>
    private readonly Dictionary<MessageId, OpenRequest> _open = [];

    /// <summary>Adds a request.</summary>
    /// <returns>Why it cannot be added; null if it was added.</returns>
    public BridgeFaultReason? TryOpen(OpenRequest request)
    {
        lock (_gate)
        {
            return _open.Count >= BridgeLimits.MaxOpenRequests ? BridgeFaultReason.TooManyRequests
                : _open.TryAdd(request.Id, request) ? null
                : BridgeFaultReason.IdInUse;
        }
    }

    /// <summary>Ends and removes the request with this id.</summary>
    /// <returns>The request; null if no request with this id is open.</returns>
    public OpenRequest? TryEnd(MessageId id)
    {
        lock (_gate)
        {
            if (!_open.Remove(id, out OpenRequest? request))
            {
                return null;
            }

            Debug.Assert(!request.IsEnded, "A request ends once.");
            request.IsEnded = true;
            request.Owner.NoteEnded();
            return request;
        }
    }

    /// <summary>Ends and removes a request, unless it has ended already.</summary>
    /// <returns>Whether the request was open, so the caller must answer it.</returns>
    public bool TryEnd(OpenRequest request)
    {
        lock (_gate)
        {
            return !request.IsEnded && _open.TryGetValue(request.Id, out OpenRequest? open) && open == request && TryEnd(request.Id) is not null;
        }
    }

    /// <summary>Ends and removes the requests with these ids: all of them, or none.</summary>
    /// <returns>
    /// The requests, in the order of the ids; null if none has ended, because an id comes twice, or is not that of an open request, or is that of a request
    /// which the bridge itself has made.
    /// </returns>
    public OpenRequest[]? TryEndAll(IReadOnlyCollection<MessageId> ids)
    {
        lock (_gate)
        {
            bool areClients = ids.All(id => _open.TryGetValue(id, out OpenRequest? open) && !open.Owner.IsOwn);
            return areClients && ids.Distinct().Count() == ids.Count ? [.. ids.Select(id => TryEnd(id)!)] : null;
        }
    }

    /// <summary>Notes that the client has cancelled a request.</summary>
    /// <returns>The request; null if no request with this id is open.</returns>
    public OpenRequest? Cancel(MessageId id)
    {
        lock (_gate)
        {
            if (_open.TryGetValue(id, out OpenRequest? request))
            {
                request.IsCancelled = true;
            }

            return request;
        }
    }

    /// <summary>Ends all requests.</summary>
    /// <returns>The requests that were open.</returns>
    public OpenRequest[] EndAll()
    {
        lock (_gate)
        {
            return [.. _open.Keys.ToArray().Select(id => TryEnd(id)!)];
        }
    }

    /// <summary>Returns the requests that are open now.</summary>
    public OpenRequest[] All()
    {
        lock (_gate)
        {
            return [.. _open.Values];
        }
    }
}
