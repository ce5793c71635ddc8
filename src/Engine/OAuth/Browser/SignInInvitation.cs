using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Browser;

/// <summary>Shows a person where to sign in: as a line in the log, and to the host's observer.</summary>
/// <param name="target">What the sign-in is for.</param>
/// <param name="clock">The clock for the end of the link.</param>
/// <param name="logger">Logs the invitation.</param>
/// <param name="observer">The host's observer; null if there is none.</param>
internal sealed class SignInInvitation(Uri target, TimeProvider clock, ILogger logger, IProxyObserver? observer)
{
    /// <summary>Tells what the observer throws.</summary>
    private readonly HookFaults _faults = new(logger, clock);

    /// <summary>What the sign-in is for, as a person may see it: without its query. Set for life.</summary>
    private readonly Uri _target = new(target.GetLeftPart(UriPartial.Path));

    /// <summary>Until when the proxy waits for the person; set at the start of each sign-in.</summary>
    private DateTimeOffset _endsAt;

    /// <summary>Whether a person has been shown where to sign in since <see cref="Reset"/>.</summary>
    public bool WasShown { get; private set; }

    /// <summary>Nobody has been shown anything yet.</summary>
    public void Reset() => WasShown = false;

    /// <summary>A sign-in begins, which may take so long.</summary>
    public void Begin(TimeSpan timeout) => _endsAt = clock.GetUtcNow() + timeout;

    /// <summary>The person has to open the link.</summary>
    public void Show(Uri link, bool opened)
    {
        string invitation = opened ? "Opening browser; if none appears, please open this URL" : "Please open this URL in your browser";
        logger.SignInNeeded(_target.AbsoluteUri, _endsAt, invitation);
        logger.SignInLink(link.AbsoluteUri);
        Tell(new SignInPrompt(_target, link, UserCode: null, _endsAt, opened));
    }

    /// <summary>The person has to open the link, on any machine, and to enter the code.</summary>
    /// <param name="link">As the server gave it.</param>
    /// <param name="userCode">The code as the server gave it.</param>
    /// <param name="lifetime">How long the code is good; null if the server does not say.</param>
    /// <exception cref="OAuthException">The link is nothing that a person should open.</exception>
    public void Show(string link, string userCode, TimeSpan? lifetime)
    {
        if (!Uri.TryCreate(link, UriKind.Absolute, out Uri? url) || !UrlRule.IsSecure(url))
        {
            throw OAuthException.Refused("insecure-url", $"The address to sign in at, {Printable.Of(link)}, is not an https URL.");
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
