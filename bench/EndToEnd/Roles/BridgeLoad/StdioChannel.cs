using System.Diagnostics;
using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Running;

namespace McpProxyFast.EndToEnd.Roles.BridgeLoad;

/// <summary>A bridge in a process of its own: one line for each message on its stdin and stdout.</summary>
internal sealed class StdioChannel : IMcpChannel
{
    private const int EndMilliseconds = 3_000;

    private readonly Process _process;
    private readonly Stream _input;
    private readonly Stream _output;
    private readonly byte[] _sent = new byte[4096];
    private readonly byte[] _received = new byte[256 * 1024];
    private string _lastError = string.Empty;

    /// <summary>Where the bytes not yet taken begin, and where they end.</summary>
    private int _start, _end;

    public StdioChannel(Command bridge, string? cores)
    {
        Command pinned = bridge.On(cores);
        var start = new ProcessStartInfo(pinned.Program, pinned.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in bridge.Variables)
        {
            start.Environment[name] = value;
        }

        _process = System.Diagnostics.Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => _lastError = line.Data ?? _lastError;
        _process.BeginErrorReadLine();
        _input = _process.StandardInput.BaseStream;
        _output = _process.StandardOutput.BaseStream;
    }

    public int Process => _process.Id;

    public void Send(ReadOnlySpan<byte> message)
    {
        message.CopyTo(_sent);
        _sent[message.Length] = (byte)'\n';
        _input.Write(_sent, 0, message.Length + 1);
        _input.Flush();
    }

    public ReadOnlySpan<byte> Receive()
    {
        int searched = _start;
        while (true)
        {
            int length = _received.AsSpan(searched.._end).IndexOf((byte)'\n');
            if (length >= 0)
            {
                ReadOnlySpan<byte> line = _received.AsSpan(_start..(searched + length));
                _start = searched + length + 1;
                return line;
            }

            MakeRoom();
            searched = _end;
            int count = _output.Read(_received, _end, _received.Length - _end);
            if (count == 0)
            {
                throw new WrongAnswerException($"The bridge has ended: {_lastError}");
            }

            _end += count;
        }
    }

    public void Dispose()
    {
        _input.Dispose();
        if (!_process.WaitForExit(EndMilliseconds))
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    /// <summary>Moves what has not been taken to the front.</summary>
    private void MakeRoom()
    {
        if (_start > 0)
        {
            _received.AsSpan(_start.._end).CopyTo(_received);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _received.Length)
        {
            throw new WrongAnswerException("A line is longer than any of this benchmark.");
        }
    }
}
