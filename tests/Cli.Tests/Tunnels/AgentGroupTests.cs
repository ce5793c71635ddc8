using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>What becomes of the programs that an agent has started when the command is killed, which then can do nothing itself.</summary>
public sealed class AgentGroupTests : IDisposable
{
    private readonly HeldUpstream _upstream = new();

    public void Dispose() => _upstream.Dispose();

    /// <summary>An agent may be a script around the real one, which may heed no signal.</summary>
    [Theory]
    [InlineData("sleep 3600 & echo $! >> started; wait")]
    [InlineData("sleep 3600 & echo $! >> started; exec sleep 3600")]
    [InlineData("trap '' HUP INT QUIT TERM; sleep 3600 & echo $! >> started; wait")]
    public async Task ProgramThatTheAgentHasStartedDoesNotOutliveACommandThatIsKilled(string end)
    {
        using var agent = new StandInAgent("cloudflared", "", end);
        await using Command command = Start(agent);
        int script = await agent.StartedAsync();
        int program = await agent.StartedAsync(2);

        await command.SignalAsync("KILL");

        await StandInAgent.GoneAsync(script);
        await StandInAgent.GoneAsync(program);
    }

    [Fact]
    public async Task ProgramThatHeedsNoSignalDoesNotOutliveACommandThatIsKilledWhileItStops()
    {
        using var agent = new StandInAgent(
            "cloudflared", "", "trap 'echo $$ >> started' TERM; (trap '' TERM; exec sleep 3600) & echo $! >> started; while :; do wait; done");
        await using Command command = Start(agent);
        int program = await agent.StartedAsync(2);
        await command.SignalAsync("TERM");
        await agent.StartedAsync(3); // the agent has been told to stop, and is waited for

        await command.SignalAsync("KILL");

        await StandInAgent.GoneAsync(program);
    }

    /// <summary>What kills the group is a process too.</summary>
    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task NoChildOutlivesTheCommand(string signal)
    {
        using var agent = new StandInAgent("cloudflared", "");
        await using Command command = Start(agent);
        await agent.StartedAsync();
        (int Number, int Parent, int Group)[] children = [.. StandInAgent.Processes().Where(each => each.Parent == command.Id)];
        Assert.Equal(2, children.Length);

        await command.SignalAsync(signal);

        foreach ((int number, _, _) in children)
        {
            await StandInAgent.GoneAsync(number);
        }
    }

    /// <summary>A shell that kills a job kills the process group of the command.</summary>
    [Fact]
    public async Task NoChildIsInTheProcessGroupOfTheCommand()
    {
        using var agent = new StandInAgent("cloudflared", "");
        await using Command command = Start(agent);
        await agent.StartedAsync();

        await Patience.UntilAsync(
            () => StandInAgent.Processes().Where(each => each.Parent == command.Id).All(each => each.Group == each.Number), "A child stays in the group.");
    }

    private Command Start(StandInAgent agent) => Command.Start(
        ["tunnel", $"{_upstream.Address}/mcp", "notes", "--tunnel-provider", "cloudflared", "--allow-unprotected"], agent.Environment());
}
