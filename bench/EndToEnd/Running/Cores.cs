namespace McpProxyFast.EndToEnd.Running;

/// <summary>Which cores the subject may use, and which the origin and the load.</summary>
internal sealed record Cores(string? Subject, string? Others, string Note)
{
    /// <param name="sharing">Who gets which cores.</param>
    public static Cores Assign(CoreSharing sharing)
    {
        int count = Environment.ProcessorCount;
        if (count < 2)
        {
            return new(null, null, "not pinned: the machine has one core");
        }

        if (!Command.IsInstalled("taskset"))
        {
            return new(null, null, "not pinned: taskset is not installed");
        }

        string others = count == 2 ? "0" : $"0-{count - 2}";
        return sharing switch
        {
            CoreSharing.One => new("0", "0", "subject, origin and load together on core 0"),
            CoreSharing.Two => new("0,1", "0,1", "subject, origin and load together on cores 0 and 1"),
            _ => new($"{count - 1}", others, $"subject on core {count - 1}, origin and load on {others}"),
        };
    }
}
