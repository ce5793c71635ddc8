namespace McpProxyFast.EndToEnd.Measuring;

/// <summary>The names under which figures are kept; the unit stands last.</summary>
internal static class Metric
{
    public const string CpuPerUnit = "cpu_us_per_unit";
    public const string UnitsPerSecond = "units_per_second";
    public const string CoreUse = "subject_core_use_percent";
    public const string OtherUse = "other_programs_use_of_a_core_percent";
    public const string LatencyP50 = "latency_p50_us";
    public const string LatencyP99 = "latency_p99_us";
    public const string AddedLatencyP50 = "added_latency_p50_us";
    public const string AddedLatencyP99 = "added_latency_p99_us";
    public const string LatencyP999 = "latency_p999_us";
    public const string LateShare = "latency_share_over_1ms_percent";
    public const string Resident = "resident_bytes";
    public const string BytesPerStream = "resident_bytes_per_stream";
    public const string MostBytesPerStream = "resident_bytes_per_stream_at_most";
    public const string OpeningMilliseconds = "opening_all_streams_ms";
    public const string KeptAfterClose = "resident_bytes_kept_after_close";
    public const string WarmUpSeconds = "warm_up_s";
    public const string IsWarm = "is_warm";
    public const string StartMilliseconds = "start_to_first_answer_ms";
    public const string ResidentAtStart = "resident_bytes_at_start";
}
