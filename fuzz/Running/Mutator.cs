namespace McpProxyFast.Fuzz.Running;

/// <summary>Makes new inputs of known ones: a few small changes, words of the dictionary, pieces of others. The same seed gives the same inputs.</summary>
internal sealed class Mutator(Corpus corpus, int seed)
{
    private const int MaxInputBytes = 4096;
    private const int MaxChanges = 6;

    private static readonly byte[] Telling = [0, 9, 10, 13, 32, 34, 44, 45, 47, 48, 58, 59, 95, 102, 127, 128, 255];

    private readonly Random _random = new(seed);

    /// <summary>Makes the next input.</summary>
    public byte[] Next()
    {
        List<byte> input = [.. Pick(corpus.Inputs)];
        int changes = _random.Next(1, MaxChanges + 1);
        for (int i = 0; i < changes; i++)
        {
            Change(input);
        }

        return [.. input.Take(MaxInputBytes)];
    }

    private void Change(List<byte> input)
    {
        int at = _random.Next(input.Count + 1);
        int length = Math.Min(_random.Next(1, 17), input.Count - at);
        switch (_random.Next(8))
        {
            case 0:
                input.InsertRange(at, Pick(corpus.Words));
                break;
            case 1:
                input.RemoveRange(at, length);
                input.InsertRange(at, Pick(corpus.Words));
                break;
            case 2:
                input.RemoveRange(at, length);
                break;
            case 3:
                input.InsertRange(_random.Next(input.Count + 1), input.GetRange(at, length));
                break;
            case 4:
                input.Insert(at, Telling[_random.Next(Telling.Length)]);
                break;
            case 5:
                Overwrite(input, at, Telling[_random.Next(Telling.Length)]);
                break;
            case 6:
                Overwrite(input, at, (byte)_random.Next(256));
                break;
            default:
                Splice(input, at);
                break;
        }
    }

    /// <summary>Goes on with the end of another input.</summary>
    private void Splice(List<byte> input, int at)
    {
        byte[] other = Pick(corpus.Inputs);
        input.RemoveRange(at, input.Count - at);
        input.AddRange(other.AsSpan(_random.Next(other.Length + 1)));
    }

    private static void Overwrite(List<byte> input, int at, byte value)
    {
        if (at < input.Count)
        {
            input[at] = value;
        }
    }

    private byte[] Pick(IReadOnlyList<byte[]> from) => from[_random.Next(from.Count)];
}
