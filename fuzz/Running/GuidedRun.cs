using SharpFuzz;

namespace McpProxyFast.Fuzz.Running;

/// <summary>Lets a coverage-guided fuzzer choose the inputs; the engine's assembly has to be instrumented (see <c>guided.sh</c>).</summary>
internal static class GuidedRun
{
    private const int MaxInputBytes = 8192;

    /// <summary>Runs until the fuzzer stops it. An exception is a crash, which the fuzzer keeps.</summary>
    public static void Start(Func<IFuzzTarget> make)
    {
        IFuzzTarget? target = null;
        Fuzzer.Run(stream =>
        {
            byte[] input = new byte[MaxInputBytes];
            int length = stream.ReadAtLeast(input, input.Length, throwOnEndOfStream: false);
            target ??= make();
            target.Run(input.AsSpan(0, length));
        });
    }
}
