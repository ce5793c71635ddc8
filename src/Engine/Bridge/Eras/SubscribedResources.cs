using System.Buffers;
using System.Diagnostics;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>The resources that a client of an older era wants to be told of, and its <c>resources/subscribe</c> requests that have not been answered.</summary>
internal sealed class SubscribedResources
{
    /// <summary>Most resources.</summary>
    public const int MaxResources = 1_000;

    /// <summary>Most requests that wait for the server.</summary>
    public const int MaxPending = 1_000;

    /// <summary>The resources that the client has subscribed to.</summary>
    private readonly HashSet<string> _resources = new(StringComparer.Ordinal);

    /// <summary>Requests that the stream which was asked for last answers. Empty while none is asked for.</summary>
    private readonly List<Pending> _waiting = [];

    /// <summary>Requests that have come since, and wait for the stream after it. Empty while none is asked for.</summary>
    private readonly List<Pending> _later = [];

    /// <summary>All resources, in no order.</summary>
    public IReadOnlyCollection<string> All => _resources;

    /// <summary>A request waits for the stream that was asked for last.</summary>
    public bool IsAwaited => _waiting.Count > 0;

    /// <summary>Whether a request with this id waits.</summary>
    public bool IsWaiting(MessageId request) => _waiting.Concat(_later).Any(pending => pending.Request == request);

    /// <summary>Adds a resource.</summary>
    /// <param name="resource">Its URI.</param>
    /// <param name="isNew">Whether it was not there.</param>
    /// <returns>Why that is not possible; null if it was.</returns>
    public string? TryAdd(string resource, out bool isNew)
    {
        isNew = !_resources.Contains(resource);
        if (isNew && _resources.Count >= MaxResources)
        {
            return $"There are {MaxResources} subscriptions already. Unsubscribe from some first.";
        }

        if (_waiting.Count + _later.Count >= MaxPending)
        {
            return $"There are {MaxPending} subscriptions that the server has not acknowledged. Wait for their answers first.";
        }

        _resources.Add(resource);
        return null;
    }

    /// <summary>Lets a request wait until <see cref="BeginStream"/>.</summary>
    public void Wait(MessageId request, string resource, bool isNew) => _later.Add(new Pending(request, resource, isNew));

    /// <summary>Drops a resource that the client has unsubscribed from.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(string resource) => _resources.Remove(resource);

    /// <summary>Drops a request that waits and was cancelled: it needs no answer.</summary>
    /// <param name="request">Its id.</param>
    /// <param name="isChanged">Whether its resource is no longer wanted.</param>
    /// <returns>Whether it waited.</returns>
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

    /// <summary>What is wanted now is about to be asked for: the requests that have come meanwhile wait for it.</summary>
    /// <remarks>Whose resource was unsubscribed from since has nothing to wait for, and is answered.</remarks>
    public void BeginStream(List<EraAction> actions)
    {
        Debug.Assert(_waiting.Count == 0, "Who waited for the stream before has been answered.");
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

    /// <summary>The server has acknowledged the stream that was asked for last.</summary>
    /// <param name="honoured">The resources that it tells of.</param>
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
                : OwnMessages.Error(waiting.Request, OwnMessages.InvalidParams, "The server does not tell of changes of this resource.")));
        }

        _waiting.Clear();
    }

    /// <summary>The stream that was asked for last has ended before it was acknowledged.</summary>
    /// <param name="error">What the server has said; null if it has said nothing.</param>
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
                : OwnMessages.Error(waiting.Request, OwnMessages.InternalError, "The server ended the subscription before it had acknowledged it.")));
        }
    }

    /// <summary>Ends everything: what waits will not be answered by the server any more.</summary>
    public void Stop(List<EraAction> actions)
    {
        actions.AddRange(_waiting.Concat(_later).Select(pending => new ToClient(OwnMessages.Stopped(pending.Request))));
        _waiting.Clear();
        _later.Clear();
        _resources.Clear();
    }

    /// <summary>Drops what a request wanted that has failed or was cancelled, unless another one that waits wants it too.</summary>
    /// <returns>Whether its resource is no longer wanted.</returns>
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

    /// <summary>A request that has not been answered.</summary>
    /// <param name="Request">Its id.</param>
    /// <param name="Resource">What it wants to be told of.</param>
    /// <param name="IsNew">Nobody wanted that before, so that it is forgotten with the request.</param>
    private readonly record struct Pending(MessageId Request, string Resource, bool IsNew);
}
