namespace McpProxyFast.EndToEnd.Running;

/// <summary>Which cores the subject has for itself, and which the origin and the load share.</summary>
internal sealed record Cores(string? Subject, string? Others, string Note)
{
    public static Cores Assign()
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
        return new($"{count - 1}", others, $"subject on core {count - 1}, origin and load on {others}");
    }
}
