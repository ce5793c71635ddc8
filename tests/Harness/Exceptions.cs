using System.Text.Json;

namespace McpProxyFast.Harness;

/// <summary>What may be thrown at code that has to go on whatever is thrown.</summary>
public static class Exceptions
{
    /// <summary>Of every kind: a peer's, the runtime's, a host's, and such as look like the end.</summary>
#pragma warning disable CA2201 // The runtime's own exceptions are what is to be survived.
    public static IEnumerable<Exception> OfEveryKind =>
    [
        new IOException(), new UriFormatException(), new JsonException(), new FormatException(), new InvalidOperationException(), new ArgumentException(),
        new NullReferenceException(), new OutOfMemoryException(), new OperationCanceledException(), new TaskCanceledException(), new TimeoutException(),
        new ObjectDisposedException("x"), new AggregateException(new IOException()), new HttpRequestException(), new OverflowException(), new Exception(),
    ];
#pragma warning restore CA2201
}
