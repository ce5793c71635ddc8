using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.BridgeOrigin;

/// <summary>The sessions' own streams, and when each is due to carry the next notification.</summary>
internal sealed class NotificationSchedule
{
    private readonly Dictionary<string, Session> _sessions = [];

    /// <summary>Those that get notifications: few, where clients leave many sessions behind.</summary>
    private readonly List<Session> _asked = [];

    private int _lastSession;

    /// <summary>When something is due; far away where nothing is.</summary>
    public long NextDue => _asked.Count == 0 ? long.MaxValue : _asked.Min(session => session.IsSending ? session.DueAt : long.MaxValue);

    /// <summary>Begins a session and names it.</summary>
    public string Open()
    {
        string id = $"bench-{++_lastSession}";
        _sessions.Add(id, new Session());
        return id;
    }

    /// <summary>Whether there is such a session; from now on its notifications go there.</summary>
    public bool TrySetStream(string id, BridgeOriginConnection stream)
    {
        if (!_sessions.TryGetValue(id, out Session? session))
        {
            return false;
        }

        session.Stream = stream;
        session.DueAt = Clock.Now;
        return true;
    }

    /// <summary>Sets how many notifications a session gets a second; they begin once it has a stream.</summary>
    public void SetRate(string id, long perSecond)
    {
        if (_sessions.TryGetValue(id, out Session? session))
        {
            session.Interval = perSecond == 0 ? 0 : Clock.Second / perSecond;
            session.DueAt = Clock.Now;
            _asked.Remove(session);
            if (perSecond > 0)
            {
                _asked.Add(session);
            }
        }
    }

    public void Close(string id)
    {
        if (_sessions.Remove(id, out Session? session))
        {
            _asked.Remove(session);
        }
    }

    public void RunDue(long now)
    {
        foreach (Session session in _asked)
        {
            if (session.IsSending && session.DueAt <= now)
            {
                session.Stream!.SendNotification(session.Sent++);
                session.DueAt += session.Interval;
            }
        }
    }

    private sealed class Session
    {
        /// <summary>The connection that carries the session's stream; null before there is one.</summary>
        public BridgeOriginConnection? Stream { get; set; }

        /// <summary>Nanoseconds between two notifications; 0 for none.</summary>
        public long Interval { get; set; }

        /// <summary>When the next one is due, where any is.</summary>
        public long DueAt { get; set; }

        /// <summary>How many have been sent.</summary>
        public long Sent { get; set; }

        public bool IsSending => Interval > 0 && Stream is { IsOpen: true };
    }
}
