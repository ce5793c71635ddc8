using McpProxyFast.Cli.Flags;
using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>Maps the flags for sizes, counts and times to the engine's limits. The engine checks their ranges.</summary>
internal static class LimitFlags
{
    private delegate bool TryParse<T>(string text, out T value);

    /// <summary>Reads the limits of the verbs that listen.</summary>
    /// <exception cref="UsageException">A value is malformed or out of range.</exception>
    public static ProxyLimits Read(ProxyOptions options)
    {
        ProxyLimits limits = Read((TargetOptions)options);
        limits = Checked("max-body-size", options.MaxBodySize, ByteSize.TryParse, (long value) => limits with { MaxRequestBodyBytes = value });
        limits = Checked("max-connections", options.MaxConnections, int.TryParse, (int value) => limits with { MaxConnections = value });
        limits = Checked("header-timeout", options.HeaderTimeout, Duration.TryParse, (TimeSpan value) => limits with { HeaderTimeout = value });
        return Checked("idle-timeout", options.IdleTimeout, Duration.TryParse, (TimeSpan value) => limits with { IdleTimeout = value });
    }

    /// <summary>Reads the limits of all verbs that send requests to a target.</summary>
    /// <exception cref="UsageException">A value is malformed or out of range.</exception>
    public static ProxyLimits Read(TargetOptions options)
    {
        var limits = new ProxyLimits();
        limits = Checked("connect-timeout", options.ConnectTimeout, Duration.TryParse, (TimeSpan value) => limits with { ConnectTimeout = value });
        limits = Checked(
            "upstream-idle-timeout", options.UpstreamIdleTimeout, Duration.TryParse, (TimeSpan value) => limits with { UpstreamIdleTimeout = value });
        limits = Checked(
            "upstream-post-idle-timeout",
            options.UpstreamPostIdleTimeout,
            Duration.TryParse,
            (TimeSpan value) => limits with { UpstreamPostIdleTimeout = value });
        limits = Checked("response-timeout", options.ResponseTimeout, TryParseOrOff, (TimeSpan value) => limits with { ResponseTimeout = value });
        return Checked("drain-timeout", options.DrainTimeout, Duration.TryParse, (TimeSpan value) => limits with { DrainTimeout = value });
    }

    private static bool TryParseOrOff(string text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        return text == "off" || Duration.TryParse(text, out value);
    }

    private static ProxyLimits Checked<T>(string flag, string text, TryParse<T> tryParse, Func<T, ProxyLimits> set) =>
        tryParse(text, out T value) ? InRange(flag, text, () => set(value)) : throw Wrong(flag, text);

    private static ProxyLimits InRange(string flag, string text, Func<ProxyLimits> set)
    {
        try
        {
            return set();
        }
        catch (ArgumentOutOfRangeException)
        {
            throw Wrong(flag, text);
        }
    }

    private static UsageException Wrong(string flag, string text)
    {
        Flag definition = FlagTable.Of(typeof(ProxyOptions)).Find(flag);
        return new($"--{flag} must be a {definition.Unit} such as {definition.Default}, not '{text}'. What it sets: {definition.Help}");
    }
}
