namespace McpProxyFast.Bridge.Messages;

/// <summary>
/// The members that a message's head is read from: of the message itself, its <c>params</c>, their <c>_meta</c>, its result and its error. Each may occur at
/// most once.
/// </summary>
[Flags]
internal enum HeadMembers
{
    None = 0,
    Version = 1,
    Id = 1 << 1,
    Method = 1 << 2,
    Params = 1 << 3,
    Result = 1 << 4,
    Error = 1 << 5,
    NullId = 1 << 6,
    Name = 1 << 7,
    Uri = 1 << 8,
    InitializeVersion = 1 << 9,
    Meta = 1 << 10,
    ProgressToken = 1 << 11,
    CancelledId = 1 << 12,
    MetaVersion = 1 << 13,
    MetaProgressToken = 1 << 14,
    SubscriptionId = 1 << 15,
    TraceParent = 1 << 16,
    TraceState = 1 << 17,
    ResultType = 1 << 18,
    Code = 1 << 19,
    TaskId = 1 << 20,
    InAnotherCase = 1 << 21,
}
