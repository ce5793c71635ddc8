using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

// The compiler calls these members on an instance, even if they do not use it.
#pragma warning disable CA1822

namespace McpProxyFast.Serving;

/// <summary>Builds the async methods of an exchange. Once warm, they do not allocate.</summary>
/// <remarks>
/// Like <see cref="PoolingAsyncValueTaskMethodBuilder{TResult}"/>, but each thread keeps many boxes (<see cref="KeptObjects{T}"/>). The framework's
/// builder keeps only one box per thread, so of N connections that wait at the same place, N-1 allocate. The execution context does not flow: the engine does
/// not use it.
/// </remarks>
/// <typeparam name="TResult">The method's result.</typeparam>
internal struct ExchangeMethodBuilder<TResult>
{
    private Box? _box;
    private TResult _result;

    public readonly ValueTask<TResult> Task => _box is null ? new ValueTask<TResult>(_result) : new ValueTask<TResult>(_box, _box.Version);

    public static ExchangeMethodBuilder<TResult> Create() => default;

    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    public void SetResult(TResult result)
    {
        if (_box is null)
        {
            _result = result;
        }
        else
        {
            _box.SetResult(result);
        }
    }

    public void SetException(Exception exception)
    {
        // If it was thrown before the first await, there is no box yet. This is rare, so a new one is allocated.
        _box ??= new Box();
        _box.SetException(exception);
    }

    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine => awaiter.OnCompleted(MoveNextOf(ref stateMachine));

    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine => awaiter.UnsafeOnCompleted(MoveNextOf(ref stateMachine));

    private Action MoveNextOf<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine
    {
        if (_box is null)
        {
            Box<TStateMachine> box = Box<TStateMachine>.Rent();

            // The builder is a field of the state machine, so it must know its box before the state machine is copied into that box.
            _box = box;
            box.StateMachine = stateMachine;
        }

        return _box.MoveNext;
    }

    /// <summary>Holds a suspended method: its completion, and the delegate that continues it.</summary>
    internal class Box : IValueTaskSource<TResult>
    {
        private ManualResetValueTaskSourceCore<TResult> _completion;

        public Action MoveNext { get; protected init; } = static () => { };

        public short Version => _completion.Version;

        public void SetResult(TResult result) => _completion.SetResult(result);

        public void SetException(Exception exception) => _completion.SetException(exception);

        public TResult GetResult(short token)
        {
            try
            {
                return _completion.GetResult(token);
            }
            finally
            {
                _completion.Reset();
                Return();
            }
        }

        public ValueTaskSourceStatus GetStatus(short token) => _completion.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _completion.OnCompleted(continuation, state, token, flags);

        protected virtual void Return()
        {
        }
    }

    private sealed class Box<TStateMachine> : Box
        where TStateMachine : IAsyncStateMachine
    {
        [ThreadStatic]
        private static KeptObjects<Box<TStateMachine>>? t_kept;

        public TStateMachine? StateMachine;

        private Box() => MoveNext = () => StateMachine!.MoveNext();

        public static Box<TStateMachine> Rent() => t_kept?.TryPop() ?? new Box<TStateMachine>();

        protected override void Return()
        {
            StateMachine = default;
            (t_kept ??= new KeptObjects<Box<TStateMachine>>()).Push(this);
        }
    }
}
