using System.Text;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>Compares an answer's body, byte for byte, with what it has to be.</summary>
internal abstract class AnswerCheck
{
    private const int MaxShownBytes = 200;

    protected long Length { get; private set; }

    public static AnswerCheck For(LoadPlan plan) => plan switch
    {
        { DownloadBytes: > 0 } => new PatternCheck(plan.DownloadBytes),
        { UploadBytes: > 0 } => new ExactCheck(Encoding.ASCII.GetBytes($"{{\"received\":{plan.UploadBytes}}}"), idOffset: null),
        _ => new ExactCheck(SmallPost.NewAnswer(), SmallPost.AnswerIdOffset),
    };

    protected abstract long ExpectedLength { get; }

    public virtual void Start(long id) => Length = 0;

    public void Take(ReadOnlySpan<byte> body)
    {
        if (!Matches(body))
        {
            string shown = Encoding.UTF8.GetString(body[..Math.Min(MaxShownBytes, body.Length)]);
            throw new WrongAnswerException($"A body is wrong in the {body.Length} bytes after its first {Length}: {shown}");
        }

        Length += body.Length;
    }

    public void End()
    {
        if (Length != ExpectedLength)
        {
            throw new WrongAnswerException($"A body has {Length} bytes instead of {ExpectedLength}.");
        }
    }

    protected abstract bool Matches(ReadOnlySpan<byte> body);

    private sealed class ExactCheck(byte[] expected, int? idOffset) : AnswerCheck
    {
        protected override long ExpectedLength => expected.Length;

        public override void Start(long id)
        {
            base.Start(id);
            if (idOffset is { } offset)
            {
                Digits.Write(expected.AsSpan(offset, SmallPost.IdLength), id);
            }
        }

        protected override bool Matches(ReadOnlySpan<byte> body) => expected.AsSpan((int)Length).StartsWith(body);
    }

    private sealed class PatternCheck(int bytes) : AnswerCheck
    {
        protected override long ExpectedLength => bytes;

        protected override bool Matches(ReadOnlySpan<byte> body) => Pattern.Matches(body, Length);
    }
}
