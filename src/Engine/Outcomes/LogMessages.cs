using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>Everything that the engine logs: one message for each thing that can happen, each with a number of its own. The list is closed.</summary>
/// <remarks>
/// A message names options by type and member (<c>McpProxyOptions.Target</c>); the command puts its flags in their place. What comes from outside goes through
/// <see cref="PlainText"/> first, and what can come often through <see cref="RepeatedLines"/>. <c>tests/House.Tests/Messages.txt</c> lists them all.
/// </remarks>
internal static partial class LogMessages
{
    // 100: serving.
    [LoggerMessage(101, LogLevel.Error, "A client connection was cut because of an internal error.")]
    public static partial void ConnectionCut(this ILogger logger, Exception bug);

    [LoggerMessage(102, LogLevel.Error, "An exchange could not be ended after an internal error.")]
    public static partial void ExchangeNotEnded(this ILogger logger, Exception bug);

    [LoggerMessage(103, LogLevel.Error, "A client connection could not be closed in an orderly way.")]
    public static partial void ConnectionNotClosed(this ILogger logger, Exception bug);

    [LoggerMessage(104, LogLevel.Error, "A client connection could not check its deadlines and was cut.")]
    public static partial void DeadlinesNotSeen(this ILogger logger, Exception bug);

    [LoggerMessage(105, LogLevel.Error, "A client connection could not be told to stop.")]
    public static partial void ConnectionNotTold(this ILogger logger, Exception bug);

    [LoggerMessage(106, LogLevel.Warning, "{Reason} Clients wait until there is room; the proxy tries again every {BackOffMilliseconds} ms.")]
    public static partial void AcceptFailed(this ILogger logger, string reason, double backOffMilliseconds);

    [LoggerMessage(EventId = 107,
        Message = "Only {Most} of {Wanted} client connections fit into the descriptor limit (ulimit -n); further clients wait to be accepted.")]
    public static partial void ConnectionsLimited(this ILogger logger, LogLevel level, int most, int wanted);

    [LoggerMessage(EventId = 108, Message = "{What}: {Count} more in the last {Seconds} s.")]
    public static partial void Repeated(this ILogger logger, LogLevel level, string what, long count, long seconds);

    [LoggerMessage(109, LogLevel.Error, "The {Name} failed with {Type} and is tried again.")]
    public static partial void TurnFailed(this ILogger logger, string name, string type);

    // 200: exchanges.
    [LoggerMessage(201, LogLevel.Debug, "{Method} {Path} from {Peer}: {Status} {End} in {Milliseconds} ms.", SkipEnabledCheck = true)]
    public static partial void ExchangeEnded(this ILogger logger, string method, string path, int status, string end, long milliseconds, string peer);

    [LoggerMessage(202, LogLevel.Debug, "Refused what the {Side} sent: {Code}{Status} by {Rule}.", SkipEnabledCheck = true)]
    public static partial void MessageRefused(this ILogger logger, string side, string code, string status, string rule);

    [LoggerMessage(EventId = 203, Message = "Answered {Status} {Code}: {Cause}")]
    public static partial void Faulted(this ILogger logger, LogLevel level, int status, string code, string cause);

    [LoggerMessage(EventId = 204, Message = "Answered {Status} {Code}: the upstream broke {Rule} ({Violation}).")]
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
        "Refused a request that a page of another site made a browser send (403 cross-site-not-allowed). "
        + "A page listed in McpProxyOptions.AllowedOrigins may call with fetch, which sends its Origin.")]
    public static partial void CrossSiteRefused(this ILogger logger);

    // 300: incoming tokens.
    [LoggerMessage(301, LogLevel.Warning, "No audience is set (ClaimsPolicy.Audiences): any token of the issuer is accepted, even one for another service.")]
    public static partial void NoAudience(this ILogger logger);

    [LoggerMessage(302, LogLevel.Information, "Token refused: {Kind}, {Reason}.")]
    public static partial void TokenRefused(this ILogger logger, TokenVerdictKind kind, string reason);

    [LoggerMessage(303, LogLevel.Warning, "The identity provider could not be asked: {Fault}")]
    public static partial void ProviderNotAsked(this ILogger logger, string fault);

    [LoggerMessage(304, LogLevel.Error, "A token could not be checked because of an internal error ({Type}).")]
    public static partial void TokenNotChecked(this ILogger logger, string type);

    [LoggerMessage(305, LogLevel.Warning, "Signing keys could not be fetched; known ones stay in use. {Fault}")]
    public static partial void KeysNotFetched(this ILogger logger, string fault);

    [LoggerMessage(306, LogLevel.Information, "Signing keys of the issuer are known or have changed.")]
    public static partial void KeysChanged(this ILogger logger);

    [LoggerMessage(307, LogLevel.Warning, "An access token could not be checked now ({Reason}); its request was answered with 503.")]
    public static partial void NoVerdict(this ILogger logger, string reason);

    // 400: the outgoing credential.
    [LoggerMessage(401, LogLevel.Warning, "{Target} asks for a sign-in; requests wait for it, until {End:HH:mm:ss} UTC at most. {Invitation}:")]
    public static partial void SignInNeeded(this ILogger logger, string target, DateTimeOffset end, string invitation);

    /// <summary>Nothing but the link, so that it can be clicked and copied: whoever prints records leaves out what stands before their text.</summary>
    [LoggerMessage(402, LogLevel.Warning, "{Url}", EventName = "SignInLink")]
    public static partial void SignInLink(this ILogger logger, string url);

    [LoggerMessage(403, LogLevel.Warning,
        "{Target} asks for a sign-in; requests wait for it, until {End:HH:mm:ss} UTC at most. Enter the code {UserCode} at this URL, on any machine:")]
    public static partial void SignInCode(this ILogger logger, string target, DateTimeOffset end, string userCode);

    [LoggerMessage(404, LogLevel.Information, "Signed in at {Issuer}; {Tokens}.")]
    public static partial void SignedIn(this ILogger logger, string issuer, string tokens);

    [LoggerMessage(405, LogLevel.Debug, "Renewed at {Endpoint}; {Tokens}.")]
    public static partial void Renewed(this ILogger logger, string endpoint, string tokens);

    [LoggerMessage(406, LogLevel.Debug, "Another process has renewed the credential.")]
    public static partial void RenewedElsewhere(this ILogger logger);

    [LoggerMessage(407, LogLevel.Warning, "No new credential for {Target}: {Reason}")]
    public static partial void NoCredential(this ILogger logger, string target, string reason);

    [LoggerMessage(408, LogLevel.Warning, "The credential for {Target} cannot be renewed; a new sign-in is needed. {Reason}")]
    public static partial void NotRenewable(this ILogger logger, string target, string reason);

    [LoggerMessage(409, LogLevel.Warning, "There is no credential for the upstream: {Reason}")]
    public static partial void NotStarted(this ILogger logger, string reason);

    [LoggerMessage(410, LogLevel.Warning, "The bearer token file could not be read again; the known token stays in use. {Reason}")]
    public static partial void FileNotRead(this ILogger logger, string reason);

    [LoggerMessage(411, LogLevel.Information, "{Target} wants more scopes: {Scopes}.")]
    public static partial void MoreScopes(this ILogger logger, string target, string scopes);

    [LoggerMessage(412, LogLevel.Warning, "{Target} answers without asking for credentials; none are sent until it does.")]
    public static partial void NothingAsked(this ILogger logger, string target);

    [LoggerMessage(413, LogLevel.Warning, "{Endpoint} did not confirm that the token is revoked; it has been dropped here.")]
    public static partial void NotRevoked(this ILogger logger, string endpoint);

    [LoggerMessage(414, LogLevel.Warning, "What is obtained is kept in memory until it can be stored, and ends with this process: {Reason}")]
    public static partial void NotStored(this ILogger logger, string reason);

    [LoggerMessage(415, LogLevel.Warning,
        "The credential store {Path} is damaged. It has been moved to {Aside}, and a new one was started.")]
    public static partial void StoreSetAside(this ILogger logger, string path, string aside);

    [LoggerMessage(416, LogLevel.Information, "The registration at {Issuer} is dropped; the next sign-in registers again.")]
    public static partial void RegistrationDropped(this ILogger logger, string issuer);

    [LoggerMessage(417, LogLevel.Warning, "The callback port {Port} is taken; another is used.")]
    public static partial void CallbackPortTaken(this ILogger logger, int port);

    [LoggerMessage(418, LogLevel.Debug, "A request to the callback did not carry the state of this sign-in and was ignored.")]
    public static partial void CallbackOfAnother(this ILogger logger);

    [LoggerMessage(419, LogLevel.Debug, "A connection to the callback ended early: {Reason}")]
    public static partial void CallbackEndedEarly(this ILogger logger, string reason);

    [LoggerMessage(420, LogLevel.Debug, "{Opener} could not be started: {Reason}")]
    public static partial void BrowserNotStarted(this ILogger logger, string opener, string reason);

    [LoggerMessage(421, LogLevel.Debug, "Discovery: {Line}")]
    public static partial void Discovery(this ILogger logger, string line);

    [LoggerMessage(422, LogLevel.Warning, "Another process is asking a person to sign in to {Target}; what comes of it is used here too.")]
    public static partial void SignInElsewhere(this ILogger logger, string target);

    [LoggerMessage(423, LogLevel.Information, "Another process has signed in to {Target}; its credential is used.")]
    public static partial void SignedInElsewhere(this ILogger logger, string target);

    [LoggerMessage(424, LogLevel.Warning, "{Target} needs a sign-in, which waits until that in another browser window is over.")]
    public static partial void WindowElsewhere(this ILogger logger, string target);

    [LoggerMessage(425, LogLevel.Warning, "Somebody has signed out of {Target} (`mcpproxyfast logout`); its token is not sent any more.")]
    public static partial void SignedOut(this ILogger logger, string target);

    [LoggerMessage(426, LogLevel.Debug, "The credential store could not be looked at: {Reason}")]
    public static partial void StoreNotSeen(this ILogger logger, string reason);

    [LoggerMessage(427, LogLevel.Information, "Tokens of this grant are not stored: nobody has to act for them, and its file may be another's tomorrow.")]
    public static partial void GrantNotKept(this ILogger logger);

    [LoggerMessage(431, LogLevel.Debug, "Every request to the target gets the fields {Names}.")]
    public static partial void FieldsAdded(this ILogger logger, string names);

    [LoggerMessage(432, LogLevel.Warning,
        "McpProxyOptions.AddedFields has Authorization: it goes out in place of the client's own and of any other credential of the proxy.")]
    public static partial void AuthorizationAdded(this ILogger logger);

    [LoggerMessage(433, LogLevel.Warning, "The value of the field {Name} could not be read again; the known one stays in use. {Reason}")]
    public static partial void FieldNotRead(this ILogger logger, string name, string reason);

    [LoggerMessage(434, LogLevel.Information, "The value of the field {Name} has changed and is in use.")]
    public static partial void FieldChanged(this ILogger logger, string name);

    [LoggerMessage(440, LogLevel.Debug, "The ID token of {Issuer} is not used; the access token does not need it. {Reason}")]
    public static partial void IdTokenNotUsed(this ILogger logger, string issuer, string reason);

    // 450: the exchange of tokens. A request is named by the digest of all that it depends on.
    [LoggerMessage(451, LogLevel.Debug, "Exchanged a token at {Endpoint} for the request {Digest}; sent until {End:u}.")]
    public static partial void TokenExchanged(this ILogger logger, string endpoint, string digest, DateTimeOffset end);

    [LoggerMessage(EventId = 452, Message = "{Endpoint} did not exchange a token ({Reason}): {Message} The request was {Digest}.")]
    public static partial void TokenNotExchanged(this ILogger logger, LogLevel level, string endpoint, string reason, string message, string digest);

    // 500: a host's own code.
    [LoggerMessage(501, LogLevel.Error, "The host's {Hook} threw {Type}: {Outcome}.")]
    public static partial void HookThrew(this ILogger logger, string hook, string type, string outcome);

    // 600: bridges.
    [LoggerMessage(601, LogLevel.Warning, "The server is gone ({Reason}); requests wait up to {Seconds} s for it.")]
    public static partial void ServerIsGone(this ILogger logger, string reason, double seconds);

    [LoggerMessage(602, LogLevel.Information, "The server is back.")]
    public static partial void ServerIsBack(this ILogger logger);

    [LoggerMessage(603, LogLevel.Information, "The server had ended the session; a new one was made with the client's own parameters.")]
    public static partial void SessionMadeAnew(this ILogger logger);

    [LoggerMessage(604, LogLevel.Warning, "The server has ended the session, and no new one could be made.")]
    public static partial void SessionLost(this ILogger logger);

    [LoggerMessage(605, LogLevel.Information, "The server does not take Streamable HTTP; HTTP+SSE (2024-11-05) is tried.")]
    public static partial void FallsBackToSse(this ILogger logger);

    [LoggerMessage(606, LogLevel.Debug, "The server has no stream of its own to offer ({Status}).")]
    public static partial void NoServerStream(this ILogger logger, int status);

    [LoggerMessage(607, LogLevel.Debug, "A message of the server was dropped: {Why}")]
    public static partial void ServerMessageDropped(this ILogger logger, string why);

    [LoggerMessage(608, LogLevel.Debug, "A message of the client was refused: {Why}")]
    public static partial void ClientMessageRefused(this ILogger logger, string why);

    [LoggerMessage(609, LogLevel.Debug, "The client's messages were cut ({Type}).")]
    public static partial void ClientCut(this ILogger logger, string type);

    [LoggerMessage(610, LogLevel.Error, "A bridge has failed with an internal error.")]
    public static partial void BridgeFailed(this ILogger logger, Exception bug);

    [LoggerMessage(611, LogLevel.Warning, "The tool {Tool} asks for header lines that cannot be made: {Reason}")]
    public static partial void ToolRejected(this ILogger logger, string tool, string reason);

    [LoggerMessage(612, LogLevel.Information, "The server speaks 2026-07-28 alone, and the client starts with a handshake: messages are translated.")]
    public static partial void ErasJoined(this ILogger logger);

    [LoggerMessage(613, LogLevel.Warning, "The server refuses the stream of HTTP+SSE (status {Status}); the client's next message tries it again.")]
    public static partial void StreamRefused(this ILogger logger, int status);
}
