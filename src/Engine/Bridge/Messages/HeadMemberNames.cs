using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Finds out which member of a message a JSON reader is at.</summary>
internal static class HeadMemberNames
{
    /// <summary>
    /// The maximum length in bytes of a name that is compared without regard to case. The longest of the names has seven characters, and each may be an escape
    /// of six bytes.
    /// </summary>
    public const int MaxBytes = 6 * 7;

    /// <summary>Identifies a member of the message itself.</summary>
    public static HeadMembers OfMessage(ref Utf8JsonReader json) =>
        json.ValueTextEquals("jsonrpc"u8) ? HeadMembers.Version
        : json.ValueTextEquals("id"u8) ? HeadMembers.Id
        : json.ValueTextEquals("method"u8) ? HeadMembers.Method
        : json.ValueTextEquals("params"u8) ? HeadMembers.Params
        : json.ValueTextEquals("result"u8) ? HeadMembers.Result
        : json.ValueTextEquals("error"u8) ? HeadMembers.Error
        : HeadMembers.None;

    /// <summary>Identifies a member of <c>params</c>.</summary>
    public static HeadMembers OfParams(ref Utf8JsonReader json) =>
        json.ValueTextEquals("name"u8) ? HeadMembers.Name
        : json.ValueTextEquals("uri"u8) ? HeadMembers.Uri
        : json.ValueTextEquals("_meta"u8) ? HeadMembers.Meta
        : json.ValueTextEquals("progressToken"u8) ? HeadMembers.ProgressToken
        : json.ValueTextEquals("requestId"u8) ? HeadMembers.CancelledId
        : json.ValueTextEquals("protocolVersion"u8) ? HeadMembers.InitializeVersion
        : json.ValueTextEquals("taskId"u8) ? HeadMembers.TaskId
        : HeadMembers.None;

    /// <summary>Identifies a member of <c>params._meta</c>.</summary>
    public static HeadMembers OfMeta(ref Utf8JsonReader json) =>
        json.ValueTextEquals(MetaKeys.ProtocolVersion) ? HeadMembers.MetaVersion
        : json.ValueTextEquals("progressToken"u8) ? HeadMembers.MetaProgressToken
        : json.ValueTextEquals(MetaKeys.SubscriptionId) ? HeadMembers.SubscriptionId
        : json.ValueTextEquals("traceparent"u8) ? HeadMembers.TraceParent
        : json.ValueTextEquals("tracestate"u8) ? HeadMembers.TraceState
        : HeadMembers.None;

    /// <summary>Identifies a member of <c>result</c>.</summary>
    public static HeadMembers OfResult(ref Utf8JsonReader json) => json.ValueTextEquals("resultType"u8) ? HeadMembers.ResultType : HeadMembers.None;

    /// <summary>Identifies a member of <c>error</c>.</summary>
    public static HeadMembers OfError(ref Utf8JsonReader json) => json.ValueTextEquals("code"u8) ? HeadMembers.Code : HeadMembers.None;

    /// <summary>Whether a JSON parser that ignores case, as Go's does, would take a name for a member of the message that routing depends on.</summary>
    public static bool IsOfMessageInAnotherCase(ReadOnlySpan<char> name) => IsOneOf(name, ["JSONRPC", "ID", "METHOD", "PARAMS", "RESULT", "ERROR"]);

    /// <summary>Whether a JSON parser that ignores case would take a name for a member of <c>params</c> that says what a call is about.</summary>
    public static bool IsOfParamsInAnotherCase(ReadOnlySpan<char> name) => IsOneOf(name, ["NAME", "URI", "TASKID", "_META"]);

    private static bool IsOneOf(ReadOnlySpan<char> name, ReadOnlySpan<string> upper)
    {
        Span<char> folded = stackalloc char[MaxBytes];
        folded = folded[..Math.Max(0, name.ToUpperInvariant(folded))];
        folded.Replace('\u017F', 'S'); // parsers that ignore case take a long s for an s, and the kelvin sign for a k
        folded.Replace('\u212A', 'K');
        foreach (string each in upper)
        {
            if (folded.SequenceEqual(each))
            {
                return true;
            }
        }

        return false;
    }
}
