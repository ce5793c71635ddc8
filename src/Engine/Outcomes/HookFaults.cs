using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>The places where a host's own code runs. The list is closed.</summary>
internal enum Hook : byte
{
    TokenValidator,
    CredentialSource,
    Observer,
    ConnectUpstream,

    /// <summary>What a hook has registered on the token that it was given.</summary>
    Cancellation,
}

/// <summary>Tells of exceptions that a host's hooks threw: by type only, since the text is not ours and may hold a token.</summary>
/// <remarks>For each hook the first is told at once; those that follow are counted and told at most once a minute.</remarks>
/// <param name="logger">Where it is told.</param>
/// <param name="clock">The minute.</param>
internal sealed class HookFaults(ILogger logger, TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly int Hooks = Enum.GetValues<Hook>().Length;

    private readonly Lock _telling = new();

    /// <summary>When each hook's exception was last told; null for never.</summary>
    private readonly long?[] _toldAt = new long?[Hooks];

    /// <summary>How many have not been told since.</summary>
    private readonly int[] _untold = new int[Hooks];

    /// <summary>A hook has thrown.</summary>
    /// <param name="hook">Which.</param>
    /// <param name="fault">What it threw.</param>
    public void Threw(Hook hook, Exception fault)
    {
        int untold;
        lock (_telling)
        {
            ref long? toldAt = ref _toldAt[(int)hook];
            if (toldAt is { } last && clock.GetElapsedTime(last) < Interval)
            {
                _untold[(int)hook]++;
                return;
            }

            toldAt = clock.GetTimestamp();
            untold = _untold[(int)hook];
            _untold[(int)hook] = 0;
        }

        logger.LogError(
            "The host's {Hook} threw {Type}: {Outcome}. {Untold} more since this was last said.", NameOf(hook), fault.GetType(), OutcomeOf(hook), untold);
    }

    private static string NameOf(Hook hook) => hook switch
    {
        Hook.TokenValidator => "token validator",
        Hook.CredentialSource => "credential source",
        Hook.Observer => "observer",
        Hook.ConnectUpstream => "ConnectUpstream",
        _ => "cancellation callback",
    };

    private static string OutcomeOf(Hook hook) => hook switch
    {
        Hook.TokenValidator => "answered with 503 verdict-unavailable",
        Hook.CredentialSource => "answered with 503 credential-unavailable",
        Hook.ConnectUpstream => "answered with 502 upstream-unreachable",
        _ => "ignored",
    };
}
