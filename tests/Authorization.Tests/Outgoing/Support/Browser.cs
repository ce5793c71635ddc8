using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Authorization.Tests.Outgoing.Support;

/// <summary>Reads the log as a person would, opens the URL that it invites to, and remembers every line.</summary>
internal sealed class Browser : ILogger, IDisposable
{
    private const string Invitation = "Please open this URL in your browser:";

    private readonly HttpClient _http = new();

    /// <summary>The line before invited to open a link, and no code has to be entered.</summary>
    private bool _isInvited;

    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>Whether anybody is there to follow the invitation.</summary>
    public bool IsAttended { get; set; } = true;

    public Uri? LastUrl { get; private set; }

    /// <summary>Where the browser goes for a link: elsewhere than it says, where the link names a provider that no test may ask.</summary>
    public Func<Uri, Uri> Road { get; set; } = url => url;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string line = formatter(state, exception);
        Lines.Enqueue($"{line} {exception}");
        bool isInvited = _isInvited;
        _isInvited = line.EndsWith(Invitation, StringComparison.Ordinal);
        if (isInvited && Uri.TryCreate(line, UriKind.Absolute, out Uri? url))
        {
            LastUrl = url;
            if (IsAttended)
            {
                _ = OpenAsync(url);
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task OpenAsync(Uri url)
    {
        using HttpResponseMessage page = await _http.GetAsync(Road(url));
        Lines.Enqueue($"page: {(int)page.StatusCode}");
    }
}
