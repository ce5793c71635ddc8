using System.IO.Pipelines;

namespace McpProxyFast.Engine.Tests.Support;

/// <summary>Runs something that writes to a pipe and returns what it wrote.</summary>
internal static class Capture
{
    public static string Of(Action<PipeWriter> write)
    {
        var stream = new MemoryStream();
        PipeWriter writer = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
        write(writer);
        writer.Complete();
        return Heads.Text(stream.ToArray());
    }
}
