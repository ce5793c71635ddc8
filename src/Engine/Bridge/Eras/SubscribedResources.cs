using System.Buffers;
using System.Diagnostics;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>
/// The resources that a client has subscribed to, and its <c>resources/subscribe</c> requests that are not answered yet. Such a request is answered when the
/// server has acknowledged a stream that carries its resource. A stream is pending from its request until its acknowledgment.
/// </summary>
internal sealed class SubscribedResources
{
    /// <summary>The maximum number of resources. A subscription to another one is refused.</summary>
    public const int MaxResources = 1_000;

    /// <summary>The maximum number of requests that are not answered yet. Further ones are refused.</summary>
    public const int MaxPending = 1_000;

    /// <summary>The resources that the client has subscribed to.</summary>
    private readonly HashSet<string> _resources = new(StringComparer.Ordinal);

    /// <summary>The requests that are answered when the server acknowledges the pending stream. Empty while no stream is pending.</summary>
    private readonly List<Pending> _waiting = [];

    /// <summary>The requests that came after the pending stream was requested. They wait for the next stream. Empty while no stream is pending.</summary>
    private readonly List<Pending> _later = [];

    /// <summary>The URIs of all resources, in no particular order.</summary>
    public IReadOnlyCollection<string> All => _resources;

    /// <summary>Whether at least one request waits for the pending stream.</summary>
    public bool IsAwaited => _waiting.Count > 0;

    /// <summary>Whether a request with this id is not answered yet.</summary>
    public bool IsWaiting(MessageId request) => _waiting.Concat(_later).Any(pending => pending.Request == request);

    /// <summary>Adds a resource.</summary>
    /// <param name="resource">The resource's URI.</param>
    /// <param name="isNew">Whether the client was not subscribed to it before.</param>
    /// <returns>A sentence that says why it cannot be added; null if it was added.</returns>
    public string? TryAdd(string resource, out bool isNew)
    {
        isNew = !_resources.Contains(resource);
        if (isNew && _resources.Count >= MaxResources)
        {
            return $"There are already {MaxResources} subscriptions, which is the maximum. Unsubscribe from some first.";
        }

        if (_waiting.Count + _later.Count >= MaxPending)
        {
            return $"There are {MaxPending} subscriptions that the server has not acknowledged yet, which is the maximum. Wait for their answers first.";
        }

        _resources.Add(resource);
        return null;
    }

    /// <summary>Adds a request. It waits for the stream that is requested next (<see cref="BeginStream"/>), even if another stream is pending now.</summary>
    public void Wait(MessageId request, string resource, bool isNew) => _later.Add(new Pending(request, resource, isNew));

    /// <summary>Drops a resource that the client has unsubscribed from.</summary>
    /// <returns>Whether the client was subscribed to it.</returns>
    public bool Remove(string resource) => _resources.Remove(resource);

    /// <summary>Drops a cancelled request that is not answered yet. It gets no answer.</summary>
    /// <param name="request">The request's id.</param>
    /// <param name="isChanged">Whether its resource was dropped too, so that a new stream is needed.</param>
    /// <returns>Whether there was such a request.</returns>
    public bool TryCancel(MessageId request, out bool isChanged)
    {
        foreach (List<Pending> pending in (ReadOnlySpan<List<Pending>>)[_waiting, _later])
        {
            if (pending.FindIndex(one => one.Request == request) is >= 0 and var index)
            {
                Pending cancelled = pending[index];
                pending.RemoveAt(index);
                isChanged = Forget(cancelled);
                return true;
            }
        }

        isChanged = false;
        return false;
    }

    /// <summary>
    /// Called when the next stream is about to be requested. The requests that have come since the last stream was requested now wait for it.
    /// </summary>
    /// <remarks>If the client has unsubscribed from a request's resource in the meantime, the request is answered at once.</remarks>
    public void BeginStream(List<EraAction> actions)
    {
        Debug.Assert(_waiting.Count == 0, "The requests that waited for the last stream have been answered.");
        foreach (Pending later in _later)
        {
            if (_resources.Contains(later.Resource))
            {
                _waiting.Add(later);
            }
            else
            {
                actions.Add(new ToClient(OwnMessages.Empty(later.Request)));
            }
        }

        _later.Clear();
    }

    /// <summary>Called when the server has acknowledged the pending stream. Answers the requests that wait for it.</summary>
    /// <param name="honoured">The URIs of the resources that the server sends notifications about.</param>
    /// <param name="actions">Receives the answers.</param>
    public void Acknowledge(HashSet<string> honoured, List<EraAction> actions)
    {
        foreach (Pending waiting in _waiting)
        {
            bool isHonoured = honoured.Contains(waiting.Resource);
            if (!isHonoured)
            {
                _resources.Remove(waiting.Resource);
            }

            actions.Add(new ToClient(isHonoured
                ? OwnMessages.Empty(waiting.Request)
                : OwnMessages.Error(waiting.Request, OwnMessages.InvalidParams, "The server sends no notifications about this resource.")));
        }

        _waiting.Clear();
    }

    /// <summary>Called when the pending stream has ended before the server acknowledged it. The requests that wait for it fail.</summary>
    /// <param name="error">The server's error response; null if there was none.</param>
    /// <param name="actions">Receives the answers.</param>
    public void Fail(ReadOnlySequence<byte>? error, List<EraAction> actions)
    {
        Pending[] failed = [.. _waiting];
        _waiting.Clear();
        foreach (Pending waiting in failed)
        {
            Forget(waiting);
            actions.Add(new ToClient(error is { } said
                ? OwnMessages.WithId(said, waiting.Request)
                : OwnMessages.Error(waiting.Request, OwnMessages.InternalError, "The server ended the subscription before it acknowledged it.")));
        }
    }

    /// <summary>Ends all subscriptions. The requests that are not answered yet get an error.</summary>
    public void Stop(List<EraAction> actions)
    {
        actions.AddRange(_waiting.Concat(_later).Select(pending => new ToClient(OwnMessages.Stopped(pending.Request))));
        _waiting.Clear();
        _later.Clear();
        _resources.Clear();
    }

    /// <summary>Drops the resource that a failed or cancelled request has added, unless another request that waits has subscribed to it too.</summary>
    /// <returns>Whether the resource was dropped.</returns>
    private bool Forget(Pending gone)
    {
        if (!gone.IsNew)
        {
            return false;
        }

        foreach (List<Pending> pending in (ReadOnlySpan<List<Pending>>)[_waiting, _later])
        {
            if (pending.FindIndex(one => one.Resource == gone.Resource) is >= 0 and var heir)
            {
                pending[heir] = pending[heir] with { IsNew = true };
                return false;
            }
        }

        return _resources.Remove(gone.Resource);
    }

    /// <summary>A <c>resources/subscribe</c> that has not been answered.</summary>
    /// <param name="Request">The request's id.</param>
    /// <param name="Resource">The URI of the resource that it subscribes to.</param>
    /// <param name="IsNew">Whether the client was not subscribed to it before. Then the resource is dropped if the request fails.</param>
    private readonly record struct Pending(MessageId Request, string Resource, bool IsNew);
}
