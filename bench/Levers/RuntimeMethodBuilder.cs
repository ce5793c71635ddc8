using System.Runtime.CompilerServices;

namespace McpProxyFast.Serving;

/// <summary>In place of the engine's own builder: the runtime's, which allocates for each suspended method, or its pooling one, which keeps one box per thread.</summary>
/// <typeparam name="TResult">What the method returns.</typeparam>
internal struct ExchangeMethodBuilder<TResult>
{
#if POOLING
    private PoolingAsyncValueTaskMethodBuilder<TResult> _builder;
#else
    private AsyncValueTaskMethodBuilder<TResult> _builder;
#endif

    public ValueTask<TResult> Task => _builder.Task;

    public static ExchangeMethodBuilder<TResult> Create() => default;

    public void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine => _builder.Start(ref stateMachine);

    public void SetStateMachine(IAsyncStateMachine stateMachine) => _builder.SetStateMachine(stateMachine);

    public void SetResult(TResult result) => _builder.SetResult(result);

    public void SetException(Exception exception) => _builder.SetException(exception);

    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine => _builder.AwaitOnCompleted(ref awaiter, ref stateMachine);

    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine => _builder.AwaitUnsafeOnCompleted(ref awaiter, ref stateMachine);
}
