using System.Text;
using McpProxyFast.Cli.Lines;

namespace McpProxyFast.Cli.Verbs;

/// <summary>Reads a secret from stdin. Unlike an argument, stdin is not shown in the list of processes.</summary>
internal static class SecretInput
{
    /// <summary>An encoding that throws if bytes are not UTF-8.</summary>
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads stdin to its end, or until more bytes have come than a value may have. One line end at the end is dropped.</summary>
    /// <param name="name">The secret's name, for the prompt at a terminal.</param>
    /// <param name="stopping">Cancels the operation.</param>
    /// <returns>The value. If it is too long, the caller must refuse it.</returns>
    /// <exception cref="UsageException">The input is empty or not UTF-8.</exception>
    public static async Task<string> ReadAsync(string name, CancellationToken stopping)
    {
        if (!Console.IsInputRedirected)
        {
            Standard.Errors.Write($"mcpproxyfast: type the value of {name}, then Enter and Ctrl-D; it is shown as you type");
        }

        // A read from a terminal cannot be cancelled. If the wait is cancelled, the read is abandoned.
        return Read(await Task.Run(Load, stopping).WaitAsync(stopping));
    }

    private static byte[] Load()
    {
        using Stream input = Console.OpenStandardInput();
        byte[] room = new byte[AddedField.MaxValueLength + "\r\n?".Length];
        int length = input.ReadAtLeast(room, room.Length, throwOnEndOfStream: false);
        return room[..length];
    }

    private static string Read(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> value = bytes is [.., (byte)'\n'] ? bytes[..^1] : bytes;
        value = bytes.Length > value.Length && value is [.., (byte)'\r'] ? value[..^1] : value;
        if (value.IsEmpty)
        {
            throw new UsageException("secret set reads the value from stdin, but stdin was empty; write: printf %s \"$VALUE\" | mcpproxyfast secret set NAME");
        }

        try
        {
            return StrictUtf8.GetString(value);
        }
        catch (DecoderFallbackException)
        {
            throw new UsageException("the value on stdin is not UTF-8 text");
        }
    }
}
