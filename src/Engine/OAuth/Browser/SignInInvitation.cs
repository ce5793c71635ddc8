using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Browser;

/// <summary>Shows a person the link to sign in: writes it to the log, and passes it to the host's observer.</summary>
/// <param name="target">The URL of the target that the sign-in is for.</param>
/// <param name="clock">The clock from which the end of the link's validity is computed.</param>
/// <param name="logger">Gets the link.</param>
/// <param name="observer">The host's observer; null if there is none.</param>
internal sealed class SignInInvitation(Uri target, TimeProvider clock, ILogger logger, IProxyObserver? observer)
{
    /// <summary>Logs exceptions of the observer.</summary>
    private readonly HookFaults _faults = new(logger, clock);

    /// <summary>The target's URL without its query, which may contain a secret. Never changes.</summary>
    private readonly Uri _target = new(target.GetLeftPart(UriPartial.Path));

    /// <summary>Until when the proxy waits for the person. Set at the start of each sign-in.</summary>
    private DateTimeOffset _endsAt;

    /// <summary>Whether a link has been shown since <see cref="Reset"/>.</summary>
    public bool WasShown { get; private set; }

    /// <summary>Clears <see cref="WasShown"/>.</summary>
    public void Reset() => WasShown = false;

    /// <summary>Called at the start of a sign-in, with the longest time that it may take.</summary>
    public void Begin(TimeSpan timeout) => _endsAt = clock.GetUtcNow() + timeout;

    /// <summary>Shows a link that the person must open on this machine.</summary>
    public void Show(Uri link, bool opened)
    {
        string invitation = opened ? "Opening browser; if none appears, please open this URL" : "Please open this URL in your browser";
        logger.SignInNeeded(_target.AbsoluteUri, _endsAt, invitation);
        logger.SignInLink(link.AbsoluteUri);
        Tell(new SignInPrompt(_target, link, UserCode: null, _endsAt, opened));
    }

    /// <summary>Shows a link that the person can open on any machine, and the code to enter there.</summary>
    /// <param name="link">The link, as the server sent it.</param>
    /// <param name="userCode">The code, as the server sent it.</param>
    /// <param name="lifetime">How long the code can be used; null if the server does not say.</param>
    /// <exception cref="OAuthException">The link is not an https URL.</exception>
    public void Show(string link, string userCode, TimeSpan? lifetime)
    {
        if (!Uri.TryCreate(link, UriKind.Absolute, out Uri? url) || !UrlRule.IsSecure(url))
        {
            throw OAuthException.Refused("insecure-url",
                $"The authorization server gave an address for the sign-in that is not an https URL: {Printable.Of(link)}.");
        }

        DateTimeOffset endsAt = clock.GetUtcNow() + lifetime is { } codeEndsAt && codeEndsAt < _endsAt ? codeEndsAt : _endsAt;
        logger.SignInCode(_target.AbsoluteUri, endsAt, Printable.Of(userCode));
        logger.SignInLink(url.AbsoluteUri);
        Tell(new SignInPrompt(_target, url, Printable.Of(userCode), endsAt, BrowserOpened: false));
    }

    private void Tell(in SignInPrompt prompt)
    {
        WasShown = true;
        try
        {
            observer?.OnSignInNeeded(prompt);
        }
        catch (Exception fault)
        {
            _faults.Threw(Hook.Observer, fault);
        }
    }
}
