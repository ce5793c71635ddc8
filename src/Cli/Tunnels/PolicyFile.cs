using YamlDotNet.Core;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>Checks that a policy file is YAML. Only the agent reads its content.</summary>
internal static class PolicyFile
{
    /// <summary>The largest file that is accepted, in bytes.</summary>
    private const int MaxBytes = 1024 * 1024;

    /// <summary>Checks the file that an argument names.</summary>
    /// <returns>The path; null if the argument is not given.</returns>
    /// <exception cref="UsageException">
    /// The file cannot be read, is too large, is empty, is not YAML, or has a name that does not end in .yml or .yaml.
    /// </exception>
    public static string? Checked(ProviderArguments given, string name)
    {
        if (given.Text(name) is not { } path)
        {
            return null;
        }

        if (!path.EndsWith(".yml", StringComparison.OrdinalIgnoreCase) && !path.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase))
        {
            throw ProviderArguments.Wrong($"\"{name}\" must be a file that ends in .yml or .yaml, not {path}");
        }

        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.Length > MaxBytes)
            {
                throw ProviderArguments.Wrong($"\"{name}\": {path} is larger than {MaxBytes} bytes");
            }

            using var text = new StreamReader(file);
            var parser = new Parser(text);
            int events = 0;
            while (parser.MoveNext())
            {
                events++;
            }

            // Start and end of the stream and of the document are events too. A file with no other event is empty.
            return events > 4 ? path : throw ProviderArguments.Wrong($"\"{name}\": {path} is empty");
        }
        catch (YamlException e)
        {
            throw ProviderArguments.Wrong($"\"{name}\": {path} is not YAML (line {e.Start.Line}, column {e.Start.Column})");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ProviderArguments.Wrong($"\"{name}\": {path} cannot be read");
        }
    }
}
