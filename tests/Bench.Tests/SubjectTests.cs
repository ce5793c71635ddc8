using System.Globalization;
using System.Xml.Linq;
using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;
using McpProxyFast.EndToEnd.Subjects;

namespace McpProxyFast.Bench.Tests;

public sealed class SubjectTests
{
    [Theory]
    [InlineData("TieredPGO", "DOTNET_TieredPGO")]
    [InlineData("ServerGarbageCollection", "DOTNET_gcServer")]
    [InlineData("ConcurrentGarbageCollection", "DOTNET_gcConcurrent")]
    public void Subjects_on_NET_have_the_switches_that_the_command_sets_for_itself(string property, string variable)
    {
        string value = CommandProject().Descendants(property).Single().Value;

        Assert.Equal(value == "true" ? "1" : "0", RuntimeLevers.Shared[variable]);
    }

    [Theory]
    [InlineData("System.Runtime.TieredCompilation.CallCountingDelayMs", "DOTNET_TC_CallCountingDelayMs")]
    [InlineData("System.Threading.ThreadPool.UnfairSemaphoreSpinLimit", "DOTNET_ThreadPool_UnfairSemaphoreSpinLimit")]
    public void Subjects_on_NET_have_the_numbers_that_the_command_sets_for_itself(string option, string variable)
    {
        string value = CommandProject().Descendants("RuntimeHostConfigurationOption").Single(item => item.Attribute("Include")!.Value == option).Attribute("Value")!.Value;

        Assert.Equal(int.Parse(value, CultureInfo.InvariantCulture), Convert.ToInt32(RuntimeLevers.Shared[variable], 16));
    }

    [Theory]
    [InlineData("mcpproxyfast")]
    [InlineData("mcpproxyfast-unofficial")]
    [InlineData("yarp")]
    public void The_command_and_its_peers_on_NET_are_started_with_the_same_settings(string name)
    {
        Subject subject = SubjectTable.For(new RunOptions()).Single(subject => subject.Name == name);

        Assert.Equal(RuntimeLevers.Shared, subject.CommandFor(NewSite())!.Variables);
    }

    [Fact]
    public void Every_build_is_a_subject_of_its_own()
    {
        var options = RunOptions.Parse(["--build", "portable=a", "--build", "no-pools=b.dll", "--before", "c"]);

        Assert.Equal(["portable", "no-pools", "before"], SubjectTable.For(options).Select(subject => subject.Name).Intersect(["portable", "no-pools", "before"]));
    }

    [Theory]
    [InlineData("--build", "portable")]
    [InlineData("--build", "=file")]
    [InlineData("--cores", "three")]
    [InlineData("--unknown", "x")]
    public void A_wrong_option_is_refused(string option, string value) => Assert.Throws<FormatException>(() => RunOptions.Parse([option, value]));

    [Fact]
    public void A_run_takes_six_rounds_of_warm_subjects_unless_told_otherwise()
    {
        var options = RunOptions.Parse([]);

        Assert.Equal((6, 6, 30), (options.Rounds, options.WarmUpSeconds, options.MaxWarmUpSeconds));
    }

    private static XDocument CommandProject() => XDocument.Load(Path.Combine(Repository.Root, "src/Cli/Cli.csproj"));

    private static Site NewSite() => new()
    {
        Port = 1,
        OriginProcess = 1,
        OriginPort = 2,
        OriginTlsPort = 3,
        Variant = Variant.Plain,
        Materials = null!,
        Directory = string.Empty,
    };
}
