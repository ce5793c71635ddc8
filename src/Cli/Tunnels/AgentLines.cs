using System.Text;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>Reads the output of an agent line by line. Long lines are cut.</summary>
internal static class AgentLines
{
    /// <summary>The maximum number of characters that are kept of one line. The rest is dropped.</summary>
    private const int MaxCharacters = 8 * 1024;

    /// <summary>
    /// Reads until the agent closes the stream, and calls <paramref name="said"/> for each line that is not empty. It never stops earlier, because a full pipe
    /// would block the agent.
    /// </summary>
    public static async Task ReadAsync(TextReader reader, Action<string> said)
    {
        var line = new StringBuilder();
        char[] buffer = new char[4_096];
        try
        {
            while (await reader.ReadAsync(buffer.AsMemory()) is > 0 and var count)
            {
                for (int i = 0; i < count; i++)
                {
                    Take(buffer[i], line, said);
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The agent has exited.
        }

        End(line, said);
    }

    private static void Take(char character, StringBuilder line, Action<string> said)
    {
        if (character is '\n' or '\r')
        {
            End(line, said);
        }
        else if (line.Length < MaxCharacters)
        {
            line.Append(character);
        }
    }

    private static void End(StringBuilder line, Action<string> said)
    {
        if (line.Length > 0)
        {
            said(line.ToString());
            line.Clear();
        }
    }
}
