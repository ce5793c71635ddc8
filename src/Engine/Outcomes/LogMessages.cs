using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>All messages that the engine logs, one for each event, each with its own number. The engine logs nothing else.</summary>
/// <remarks>
/// A message names options by type and member (<c>McpProxyOptions.Target</c>); the command-line program replaces these names with its flags. Callers pass text
/// from peers through <see cref="PlainText"/> first, and ask <see cref="RepeatedLines"/> before they log a message that can come often.
/// <c>tests/House.Tests/Messages.txt</c> lists all messages.
/// </remarks>
internal static partial class LogMessages
{
    // 100: serving.
    [LoggerMessage(101, LogLevel.Error, "A client connection was closed because of an internal error. This is a bug: please report it with the stack trace.")]
    public static partial void ConnectionCut(this ILogger logger, Exception bug);

    [LoggerMessage(102, LogLevel.Error,
        "The clean-up after a request and its response failed because of an internal error. This is a bug: please report it with the stack trace.")]
    public static partial void ExchangeNotEnded(this ILogger logger, Exception bug);

    [LoggerMessage(103, LogLevel.Error,
        "A client connection could not be closed because of an internal error. This is a bug: please report it with the stack trace.")]
    public static partial void ConnectionNotClosed(this ILogger logger, Exception bug);

    [LoggerMessage(104, LogLevel.Error,
        "The time limits of a client connection could not be checked because of an internal error, so it was closed. "
        + "This is a bug: please report it with the stack trace.")]
    public static partial void DeadlinesNotSeen(this ILogger logger, Exception bug);

    [LoggerMessage(105, LogLevel.Error,
        "A client connection could not be woken or ended because of an internal error. "
        + "This is a bug: please report it with the stack trace.")]
    public static partial void ConnectionNotTold(this ILogger logger, Exception bug);

    [LoggerMessage(106, LogLevel.Warning,
        "{Reason} New clients wait; the proxy tries again every {BackOffMilliseconds} ms. "
        + "If the process has too many open files, raise the limit (ulimit -n).")]
    public static partial void AcceptFailed(this ILogger logger, string reason, double backOffMilliseconds);

    [LoggerMessage(EventId = 107,
        Message = "The limit on open files (ulimit -n) allows only {Most} client connections at a time; ProxyLimits.MaxConnections is {Wanted}. "
            + "Further clients wait. To serve them, raise the limit on open files.")]
    public static partial void ConnectionsLimited(this ILogger logger, LogLevel level, int most, int wanted);

    [LoggerMessage(EventId = 108, Message = "{What}: {Count} more of these in the last {Seconds} s, not logged one by one.")]
    public static partial void Repeated(this ILogger logger, LogLevel level, string what, long count, long seconds);

    [LoggerMessage(109, LogLevel.Error,
        "A background task, the {Name}, failed with {Type}. It runs again after a pause. If it keeps failing, please report it as a bug.")]
    public static partial void TurnFailed(this ILogger logger, string name, string type);

    // 200: exchanges.
    [LoggerMessage(201, LogLevel.Debug, "{Method} {Path} from {Peer}: {Status} {End} in {Milliseconds} ms.", SkipEnabledCheck = true)]
    public static partial void ExchangeEnded(this ILogger logger, string method, string path, int status, string end, long milliseconds, string peer);

    [LoggerMessage(202, LogLevel.Debug, "Refused an HTTP message from the {Side}: {Code}{Status}. The rule is in: {Rule}.", SkipEnabledCheck = true)]
    public static partial void MessageRefused(this ILogger logger, string side, string code, string status, string rule);

    [LoggerMessage(EventId = 203, Message = "Answered {Status} {Code}: {Cause}")]
    public static partial void Faulted(this ILogger logger, LogLevel level, int status, string code, string cause);

    [LoggerMessage(EventId = 204, Message = "Answered {Status} {Code}: the upstream's response breaks {Rule} ({Violation}). The MCP server has to be fixed.")]
    public static partial void AnswerNotTaken(this ILogger logger, LogLevel level, int status, string code, string rule, string violation);

    [LoggerMessage(205, LogLevel.Warning,
        "Refused a request from {Peer} for the host '{Host}' (403 host-not-allowed). To let clients use this name, add it to McpProxyOptions.AllowedHosts.")]
    public static partial void HostRefused(this ILogger logger, string host, string peer);

    [LoggerMessage(206, LogLevel.Warning,
        "Refused a request from a web page at '{Origin}' (403 origin-not-allowed). To let its pages call, add it to McpProxyOptions.AllowedOrigins.")]
    public static partial void OriginRefused(this ILogger logger, string origin);

    [LoggerMessage(207, LogLevel.Information,
        "The target answered 401: it asks for a credential. If clients do not sign in by themselves, set McpProxyOptions.Outgoing so that the proxy does.")]
    public static partial void TargetAsksForCredential(this ILogger logger);

    [LoggerMessage(208, LogLevel.Warning,
        "Refused a browser's request without Origin for a page of another site (403 cross-site-not-allowed). "
        + "To let the page call, add its origin to McpProxyOptions.AllowedOrigins. It must call with fetch, which sends Origin.")]
    public static partial void CrossSiteRefused(this ILogger logger);

    [LoggerMessage(209, LogLevel.Information,
        "The target redirects ({Status}). The proxy passed the redirect on to the client, which may not follow it. "
        + "Set McpProxyOptions.Target to the right URL, often with a slash at its end, if clients cannot connect.")]
    public static partial void TargetRedirects(this ILogger logger, int status);

    [LoggerMessage(210, LogLevel.Information,
        "The target redirects ({Status}). The proxy passed the redirect on to the client, which may not follow it. "
        + "Set McpProxyOptions.Target to {Url}.")]
    public static partial void TargetRedirectsTo(this ILogger logger, int status, string url);

    // 300: incoming tokens.
    [LoggerMessage(301, LogLevel.Warning,
        "No audience is set (ClaimsPolicy.Audiences): any token of the issuer is accepted, even one for another service.")]
    public static partial void NoAudience(this ILogger logger);

    [LoggerMessage(302, LogLevel.Information, "Refused the access token of a request ({Kind}): {Reason}.")]
    public static partial void TokenRefused(this ILogger logger, TokenVerdictKind kind, string reason);

    [LoggerMessage(303, LogLevel.Warning, "The identity provider gave no usable answer: {Fault}")]
    public static partial void ProviderNotAsked(this ILogger logger, string fault);

    [LoggerMessage(304, LogLevel.Error,
        "An access token could not be checked because of an internal error ({Type}). This is a bug: please report it.")]
    public static partial void TokenNotChecked(this ILogger logger, string type);

    [LoggerMessage(305, LogLevel.Warning, "Could not fetch the signing keys of the token issuer; any keys fetched before stay in use. The cause: {Fault}")]
    public static partial void KeysNotFetched(this ILogger logger, string fault);

    [LoggerMessage(306, LogLevel.Information, "Loaded new signing keys of the token issuer.")]
    public static partial void KeysChanged(this ILogger logger);

    [LoggerMessage(307, LogLevel.Warning, "Could not check an access token ({Reason}), so its request was answered with 503. Clients may try again.")]
    public static partial void NoVerdict(this ILogger logger, string reason);

    // 400: the outgoing credential.
    [LoggerMessage(401, LogLevel.Warning, "{Target} asks for a sign-in. It must be complete by {End:HH:mm:ss} UTC. {Invitation}:")]
    public static partial void SignInNeeded(this ILogger logger, string target, DateTimeOffset end, string invitation);

    /// <summary>The message is only the link, so that a person can click or copy it. A logger should print it without a prefix, such as the time.</summary>
    [LoggerMessage(402, LogLevel.Warning, "{Url}", EventName = "SignInLink")]
    public static partial void SignInLink(this ILogger logger, string url);

    [LoggerMessage(403, LogLevel.Warning,
        "{Target} asks for a sign-in. It must be complete by {End:HH:mm:ss} UTC. Enter the code {UserCode} at this URL, on any machine:")]
    public static partial void SignInCode(this ILogger logger, string target, DateTimeOffset end, string userCode);

    [LoggerMessage(404, LogLevel.Information, "Signed in at {Issuer}; {Tokens}.")]
    public static partial void SignedIn(this ILogger logger, string issuer, string tokens);

    [LoggerMessage(405, LogLevel.Debug, "Renewed the token at {Endpoint}; {Tokens}.")]
    public static partial void Renewed(this ILogger logger, string endpoint, string tokens);

    [LoggerMessage(406, LogLevel.Debug, "The credential store has a newer credential. It is used, and the present one is not renewed.")]
    public static partial void RenewedElsewhere(this ILogger logger);

    [LoggerMessage(407, LogLevel.Warning, "Could not get a new credential for {Target}: {Reason}")]
    public static partial void NoCredential(this ILogger logger, string target, string reason);

    [LoggerMessage(408, LogLevel.Warning, "The credential for {Target} cannot be renewed; a new sign-in is needed. {Reason}")]
    public static partial void NotRenewable(this ILogger logger, string target, string reason);

    [LoggerMessage(409, LogLevel.Warning, "The proxy has started without a credential for the upstream: {Reason}")]
    public static partial void NotStarted(this ILogger logger, string reason);

    [LoggerMessage(410, LogLevel.Warning, "The bearer token file could not be read again or has no usable token; the token read before stays in use. {Reason}")]
    public static partial void FileNotRead(this ILogger logger, string reason);

    [LoggerMessage(411, LogLevel.Information, "{Target} needs more scopes ({Scopes}); the proxy asks for a token with them.")]
    public static partial void MoreScopes(this ILogger logger, string target, string scopes);

    [LoggerMessage(412, LogLevel.Warning,
        "{Target} answered without asking for a sign-in, so requests go out without a credential. The proxy signs in when the target answers 401.")]
    public static partial void NothingAsked(this ILogger logger, string target);

    [LoggerMessage(413, LogLevel.Warning,
        "{Endpoint} did not confirm that it has revoked the token. The token was deleted here, but the server may accept it until it expires.")]
    public static partial void NotRevoked(this ILogger logger, string endpoint);

    [LoggerMessage(414, LogLevel.Warning,
        "Could not write to the credential store. New credentials are kept in memory only; if the process ends first, "
        + "a new sign-in is needed. {Reason}")]
    public static partial void NotStored(this ILogger logger, string reason);

    [LoggerMessage(415, LogLevel.Warning,
        "The credential store {Path} is damaged. It has been moved to {Aside}, and a new one was started. "
        + "The sign-ins and secrets in the old one are no longer used.")]
    public static partial void StoreSetAside(this ILogger logger, string path, string aside);

    [LoggerMessage(416, LogLevel.Information,
        "The registration of a client at {Issuer} was deleted here, since the server may no longer know it. The next sign-in registers a client again.")]
    public static partial void RegistrationDropped(this ILogger logger, string issuer);

    [LoggerMessage(417, LogLevel.Warning,
        "The sign-in's callback port {Port} cannot be used, most likely because another program uses it; a free port is used instead.")]
    public static partial void CallbackPortTaken(this ILogger logger, int port);

    [LoggerMessage(418, LogLevel.Debug, "Ignored a request to the sign-in callback: it is not the browser's redirect for this sign-in.")]
    public static partial void CallbackOfAnother(this ILogger logger);

    [LoggerMessage(419, LogLevel.Debug, "A connection to the sign-in callback ended before it was answered: {Reason}")]
    public static partial void CallbackEndedEarly(this ILogger logger, string reason);

    [LoggerMessage(420, LogLevel.Debug, "Could not open a browser with {Opener}: {Reason}")]
    public static partial void BrowserNotStarted(this ILogger logger, string opener, string reason);

    [LoggerMessage(421, LogLevel.Debug, "Discovery: {Line}")]
    public static partial void Discovery(this ILogger logger, string line);

    [LoggerMessage(422, LogLevel.Warning,
        "Another process is already asking a person to sign in to {Target}. This process waits and uses the same result.")]
    public static partial void SignInElsewhere(this ILogger logger, string target);

    [LoggerMessage(423, LogLevel.Information, "Another process has signed in to {Target}; its credential is used.")]
    public static partial void SignedInElsewhere(this ILogger logger, string target);

    [LoggerMessage(424, LogLevel.Warning,
        "{Target} needs a sign-in, but a sign-in for another target is open in the browser. Complete that one first; this one follows.")]
    public static partial void WindowElsewhere(this ILogger logger, string target);

    [LoggerMessage(425, LogLevel.Warning, "Somebody has signed out of {Target} (`mcpproxyfast logout`); its token is no longer sent.")]
    public static partial void SignedOut(this ILogger logger, string target);

    [LoggerMessage(426, LogLevel.Debug, "Could not look for changes in the credential store: {Reason}")]
    public static partial void StoreNotSeen(this ILogger logger, string reason);

    [LoggerMessage(427, LogLevel.Information,
        "The token was not stored: with the grants jwt-bearer and id-jag, the proxy gets its own token when it starts, from the grant's file "
        + "(assertion or ID token).")]
    public static partial void GrantNotKept(this ILogger logger);

    [LoggerMessage(431, LogLevel.Debug, "Every request to the target gets these header fields: {Names}.")]
    public static partial void FieldsAdded(this ILogger logger, string names);

    [LoggerMessage(432, LogLevel.Warning,
        "McpProxyOptions.AddedFields has Authorization: its value replaces the client's Authorization, and any other credential that the proxy would send.")]
    public static partial void AuthorizationAdded(this ILogger logger);

    [LoggerMessage(433, LogLevel.Warning,
        "The value of the header field {Name} could not be read again or cannot be used; the value read before stays in use. {Reason}")]
    public static partial void FieldNotRead(this ILogger logger, string name, string reason);

    [LoggerMessage(434, LogLevel.Information, "The value of the header field {Name} has changed; the new value is in use.")]
    public static partial void FieldChanged(this ILogger logger, string name);

    [LoggerMessage(435, LogLevel.Warning,
        "McpProxyOptions.AddedFields has {Name}, the header field for exchanged tokens: every request carries the added value instead of an exchanged token.")]
    public static partial void ExchangedTokenReplaced(this ILogger logger, string name);

    [LoggerMessage(436, LogLevel.Warning,
        "A connection to the callback of the sign-in could not be accepted ({Reason}). The proxy tries again every {BackOffMilliseconds} ms. "
        + "If the process has too many open files, raise the limit (ulimit -n).")]
    public static partial void CallbackNotAccepted(this ILogger logger, string reason, double backOffMilliseconds);

    [LoggerMessage(437, LogLevel.Warning, "{Fault} So the token was not revoked. It is no longer kept here, but the server may accept it until it expires.")]
    public static partial void NotRevocable(this ILogger logger, string fault);

    [LoggerMessage(440, LogLevel.Debug, "The ID token of {Issuer} is ignored; the access token works without it. {Reason}")]
    public static partial void IdTokenNotUsed(this ILogger logger, string issuer, string reason);

    // 450: the exchange of tokens. {Digest} identifies a request for an exchange: it is a hash of everything that the answer depends on.
    [LoggerMessage(451, LogLevel.Debug, "Exchanged a token at {Endpoint} (exchange request {Digest}); the new token is sent until {End:u}.")]
    public static partial void TokenExchanged(this ILogger logger, string endpoint, string digest, DateTimeOffset end);

    [LoggerMessage(EventId = 452, Message = "{Endpoint} did not exchange a token ({Reason}, exchange request {Digest}): {Message}")]
    public static partial void TokenNotExchanged(this ILogger logger, LogLevel level, string endpoint, string reason, string message, string digest);

    // 500: hooks of the host program.
    [LoggerMessage(501, LogLevel.Error, "The host program's {Hook} threw {Type}; {Outcome}.")]
    public static partial void HookThrew(this ILogger logger, string hook, string type, string outcome);

    // 600: bridges.
    [LoggerMessage(601, LogLevel.Warning, "The server cannot be reached ({Reason}). Requests wait up to {Seconds} s for it; then each gets an error.")]
    public static partial void ServerIsGone(this ILogger logger, string reason, double seconds);

    [LoggerMessage(602, LogLevel.Information, "The server can be reached again.")]
    public static partial void ServerIsBack(this ILogger logger);

    [LoggerMessage(603, LogLevel.Information,
        "The server had ended the session. The bridge began a new one with the client's initialize parameters; "
        + "what the server kept in the old session is lost.")]
    public static partial void SessionMadeAnew(this ILogger logger);

    [LoggerMessage(604, LogLevel.Warning,
        "The server has ended the session, and a new one could not be started. Restart the client, or look at the server's log.")]
    public static partial void SessionLost(this ILogger logger);

    [LoggerMessage(605, LogLevel.Information, "The server does not accept Streamable HTTP; trying the older HTTP+SSE transport (2024-11-05).")]
    public static partial void FallsBackToSse(this ILogger logger);

    [LoggerMessage(606, LogLevel.Debug,
        "The server answered GET with {Status} and without an event stream, so it can send messages only in answers to requests.")]
    public static partial void NoServerStream(this ILogger logger, int status);

    [LoggerMessage(607, LogLevel.Debug, "Dropped a message from the server: {Why}")]
    public static partial void ServerMessageDropped(this ILogger logger, string why);

    [LoggerMessage(608, LogLevel.Debug, "Refused a message from the client: {Why}")]
    public static partial void ClientMessageRefused(this ILogger logger, string why);

    [LoggerMessage(609, LogLevel.Debug, "Reading the client's messages failed ({Type}); the bridge ends.")]
    public static partial void ClientCut(this ILogger logger, string type);

    [LoggerMessage(610, LogLevel.Error,
        "A part of a bridge's work failed because of an internal error; the bridge goes on. This is a bug: please report it with the stack trace.")]
    public static partial void BridgeFailed(this ILogger logger, Exception bug);

    [LoggerMessage(611, LogLevel.Warning,
        "The tool {Tool} asks for header fields in a way that MCP does not allow, so it is called without them: {Reason}")]
    public static partial void ToolRejected(this ILogger logger, string tool, string reason);

    [LoggerMessage(612, LogLevel.Information,
        "The server speaks only MCP 2026-07-28 and the client an older revision: the bridge translates between them.")]
    public static partial void ErasJoined(this ILogger logger);

    [LoggerMessage(613, LogLevel.Warning,
        "The server refuses to open the event stream of HTTP+SSE (status {Status}). With the client's next message the bridge tries again.")]
    public static partial void StreamRefused(this ILogger logger, int status);
}
