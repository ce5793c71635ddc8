using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>The hooks: places where the engine calls code of the host program. Exceptions of the logger are handled by <see cref="GuardedLogger"/>.</summary>
internal enum Hook : byte
{
    TokenValidator,
    CredentialSource,
    Observer,
    ConnectUpstream,
    Wording,

    /// <summary>A callback that a hook has registered on the cancellation token that it was given.</summary>
    Cancellation,
}

/// <summary>Logs exceptions of the host program's hooks. Only the type is logged, since the message may contain a token.</summary>
/// <remarks>For each hook and type of exception, the first exception is logged at once, and later ones as a count (<see cref="RepeatedLines"/>).</remarks>
/// <param name="logger">Logs the exceptions.</param>
/// <param name="clock">Measures the intervals between counts.</param>
internal sealed class HookFaults(ILogger logger, TimeProvider clock)
{
    private readonly RepeatedLines _lines = new(logger, clock);

    /// <summary>Logs an exception that a hook has thrown.</summary>
    /// <param name="hook">The hook that threw.</param>
    /// <param name="fault">The exception.</param>
    public void Threw(Hook hook, Exception fault)
    {
        string type = fault.GetType().ToString();
        if (_lines.MayWrite(LogLevel.Error, HeadingOf(hook), type))
        {
            logger.HookThrew(NameOf(hook), type, OutcomeOf(hook));
        }
    }

    private static string NameOf(Hook hook) => hook switch
    {
        Hook.TokenValidator => "token validator",
        Hook.CredentialSource => "credential source",
        Hook.Observer => "observer",
        Hook.ConnectUpstream => "ConnectUpstream",
        Hook.Wording => "Wording",
        _ => "cancellation callback",
    };

    // Constants, so that counting an exception allocates nothing.
    private static string HeadingOf(Hook hook) => hook switch
    {
        Hook.TokenValidator => "exceptions of the host program's token validator:",
        Hook.CredentialSource => "exceptions of the host program's credential source:",
        Hook.Observer => "exceptions of the host program's observer:",
        Hook.ConnectUpstream => "exceptions of the host program's ConnectUpstream:",
        Hook.Wording => "exceptions of the host program's Wording:",
        _ => "exceptions of the host program's cancellation callback:",
    };

    private static string OutcomeOf(Hook hook) => hook switch
    {
        Hook.TokenValidator => "the request was answered with 503 verdict-unavailable",
        Hook.CredentialSource => "the request was answered with 503 credential-unavailable",
        Hook.ConnectUpstream => "the request was answered with 502 upstream-unreachable",
        _ => "the exception was ignored",
    };
}
