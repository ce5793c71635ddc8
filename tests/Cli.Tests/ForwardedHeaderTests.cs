using System.Text;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>The flags of forwarded headers: where their values come from, and that no secret shows anywhere else than at the target.</summary>
public sealed class ForwardedHeaderTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _client = new();
    private OpenUpstream _upstream = null!;

    public async Task InitializeAsync() => _upstream = await OpenUpstream.StartAsync();

    public async Task DisposeAsync() => await _upstream.DisposeAsync();

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("X-A=1", "X-A", "1")]
    [InlineData(" X-A =1", "X-A", "1")]
    [InlineData("X-A=a=b,c=d;e", "X-A", "a=b,c=d;e")]
    [InlineData("X-A=two words", "X-A", "two words")]
    [InlineData("X-A=--flag -x", "X-A", "--flag -x")]
    [InlineData("X-A=", "X-A", "")]
    [InlineData("authorization=Basic YTpi", "Authorization", "Basic YTpi")]
    public async Task ValueGoesOutAsItIsGiven(string given, string name, string value)
    {
        await using Command command = Proxy(null, "--remote-forward-headers", given);

        Assert.Equal(value, (await SendAsync(command))[name]);
    }

    [Fact]
    public async Task ValuesComeFromEveryPlace()
    {
        await SetAsync("stored", "from-the-store");
        await using Command command = Proxy(
            new() { ["KEY"] = "from-the-environment", ["TOOLHIVE_SECRET_other"] = "from-toolhive", ["TOOLHIVE_SECRET_stored"] = "never" },
            "--remote-forward-headers", "X-Given=plain",
            "--remote-forward-headers-secret", "X-Env=env:KEY",
            "--remote-forward-headers-secret", $"X-File=file:{_folder.Write("key", "from-the-file\n")}",
            "--remote-forward-headers-secret", "X-Stored=stored",
            "--remote-forward-headers-secret=X-Other=other");

        IReadOnlyDictionary<string, string> sent = await SendAsync(command);

        Assert.Equal(
            ["plain", "from-the-environment", "from-the-file", "from-the-store", "from-toolhive"],
            ((string[])["X-Given", "X-Env", "X-File", "X-Stored", "X-Other"]).Select(name => sent[name]));
    }

    [Fact]
    public async Task SecretBeatsAGivenValueAndTheLastOfANameCounts()
    {
        await using Command command = Proxy(
            new() { ["ONE"] = "1", ["TWO"] = "2" },
            "--remote-forward-headers-secret", "x-key=env:ONE",
            "--remote-forward-headers-secret", "X-Key=env:TWO",
            "--remote-forward-headers", "X-KEY=given",
            "--remote-forward-headers", "X-A=1",
            "--remote-forward-headers", "x-a=2");

        IReadOnlyDictionary<string, string> sent = await SendAsync(command);

        Assert.Equal(("2", "2"), (sent["X-Key"], sent["X-A"]));
    }

    [Fact]
    public async Task FlagsComeFromTheEnvironmentAndFromTheConfigFileToo()
    {
        string config = _folder.Write("config", """{ "remote-forward-headers": ["X-A=1", "X-B=2,3"], "remote-forward-headers-secret": "X-Key=env:KEY" }""");
        await using Command fromFile = Proxy(new() { ["KEY"] = "k" }, "--config", config);
        IReadOnlyDictionary<string, string> sent = await SendAsync(fromFile);
        Assert.Equal(("1", "2,3", "k"), (sent["X-A"], sent["X-B"], sent["X-Key"]));

        await using Command fromEnvironment = Proxy(new() { ["KEY"] = "k", ["MCPPROXYFAST_REMOTE_FORWARD_HEADERS"] = "X-A=1\nX-B=2,3" });
        sent = await SendAsync(fromEnvironment);
        Assert.Equal(("1", "2,3"), (sent["X-A"], sent["X-B"]));
    }

    [Theory]
    [InlineData("true", 2)]
    [InlineData("TRUE", 2)]
    [InlineData("false", 0)]
    public async Task FallbackOfToolHiveCanBeTurnedOff(string isDisabled, int exitCode)
    {
        Outcome outcome = await Command.RunAsync(
            ["proxy", "name", "--target-uri", _upstream.Origin, "--check", "--remote-forward-headers-secret", "X-Key=mine"],
            Environment(new() { ["TOOLHIVE_SECRET_mine"] = "hunter2", ["TOOLHIVE_DISABLE_ENV_FALLBACK"] = isDisabled }));

        Assert.Equal(exitCode, outcome.ExitCode);
    }

    /// <summary>The fallback is for what is stored nowhere, not for what cannot be read.</summary>
    [Fact]
    public async Task StoreThatCannotBeReadIsWrongUseAndNotPassedOver()
    {
        await SetAsync("mine", "hunter2");
        Dictionary<string, string> environment = Environment(new() { ["TOOLHIVE_SECRET_mine"] = "hunter3" });
        environment["MCPPROXYFAST_STORE_KEY"] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

        Outcome outcome = await Command.RunAsync(
            ["proxy", "name", "--target-uri", _upstream.Origin, "--remote-forward-headers-secret", "X-Key=mine"], environment);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--remote-forward-headers-secret: The credential store", outcome.Errors, StringComparison.Ordinal);
        Assert.Contains("MCPPROXYFAST_STORE_KEY", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AuthorizationIsSaidByTheNameOfItsFlag()
    {
        await using Command command = Proxy(null, "--remote-forward-headers", "Authorization=Basic aHVudGVyMg==");

        await command.ErrorLineAsync("warn  --remote-forward-headers has Authorization: its value replaces");
        await command.ErrorLineAsync("warn  the value of --remote-forward-headers on the command line is visible to other users of this machine");
    }

    /// <summary>What the proxy tells, at its most talkative, of a start, of requests that end well and badly, and of a file that changes and goes.</summary>
    [Fact]
    public async Task NoSecretShowsAnywhereButAtTheTarget()
    {
        const string Env = "s3cret-of-the-environment", Stored = "s3cret-of-the-store", Fallback = "s3cret-of-toolhive";
        string[] secrets = [Env, Stored, Fallback, "s3cret-of-the-file", "s3cret-of-the-next", "Basic s3cretPlain"];
        await SetAsync("mine", Stored);
        string file = _folder.Write("key", "s3cret-of-the-file");
        string config = _folder.Write("config", """{ "remote-forward-headers": ["X-Plain=Basic s3cretPlain"] }""");
        Dictionary<string, string> environment = Environment(new() { ["KEY"] = Env, ["TOOLHIVE_SECRET_other"] = Fallback });
        string[] args =
        [
            "proxy", "name", "--target-uri", _upstream.Origin, "--debug", "--config", config,
            "--remote-forward-headers-secret", "X-Env=env:KEY", "--remote-forward-headers-secret", $"X-File=file:{file}",
            "--remote-forward-headers-secret", "X-Stored=mine", "--remote-forward-headers-secret", "X-Other=other",
        ];
        var told = new StringBuilder();

        await using (Command command = Command.Start(args, environment))
        {
            IReadOnlyDictionary<string, string> sent = await SendAsync(command);
            Assert.Equal((Env, Stored), (sent["X-Env"], sent["X-Stored"]));
            told.Append(command.Arguments);
            _folder.Write("key", "s3cret-of-the-next");
            await command.ErrorLineAsync("X-File has changed");
            File.Delete(file);
            await command.ErrorLineAsync("X-File could not be read again");
            _upstream.Accepts = _ => false;
            told.Append((await _client.GetAsync(new Uri(_address!, "/any?x"))).ToString());
            told.Append((await _client.SendAsync(new HttpRequestMessage(HttpMethod.Trace, _address))).ToString());
            await _upstream.DisposeAsync();
            told.Append(await (await _client.GetAsync(_address)).Content.ReadAsStringAsync());
            await command.SignalAsync("TERM");
            Outcome outcome = await command.EndAsync();
            Assert.Equal(0, outcome.ExitCode);
            Assert.Contains("X-Env, X-File, X-Stored, X-Other", outcome.Errors, StringComparison.Ordinal);
            told.Append(outcome.Output).Append(outcome.Errors);
        }

        _folder.Write("key", "s3cret-of-the-file");
        Outcome check = await Command.RunAsync([.. args, "--check"], environment);
        Assert.Contains("\"X-Plain=***\"", check.Output, StringComparison.Ordinal);
        foreach (Outcome outcome in (Outcome[])[check, await Command.RunAsync(["status"], environment), await Command.RunAsync(["secret", "list"], environment)])
        {
            Assert.Equal(0, outcome.ExitCode);
            told.Append(outcome.Output).Append(outcome.Errors);
        }

        Assert.All(secrets, secret => Assert.DoesNotContain(secret, told.ToString(), StringComparison.Ordinal));
    }

    /// <summary>A browser lives long and runs what strangers wrote.</summary>
    [Fact]
    public async Task BrowserIsStartedWithoutTheSecretsInItsEnvironment()
    {
        await using SignInServer server = await SignInServer.StartAsync(TimeProvider.System);
        string seen = _folder.File("environment");
        string script = _folder.Write("browser", $"env > {seen}.new; mv {seen}.new {seen}\nexec curl --silent --location \"$1\"\n");
        Dictionary<string, string> environment = Environment(new()
        {
            ["BROWSER"] = $"sh {script}",
            ["KEY"] = "hunter2",
            ["TOOLHIVE_SECRET_other"] = "hunter3",
            ["UNRELATED"] = "kept",
        });
        await using Command command = Command.Start(
            [
                "proxy", "name", "--target-uri", server.Origin + "/mcp", "--remote-auth", "--remote-auth-callback-port", "0",
                "--remote-forward-headers-secret", "X-Key=env:KEY", "--remote-forward-headers-secret", "X-Again=env:KEY",
                "--remote-forward-headers-secret", "X-Other=other", "--remote-forward-headers-secret", "X-Home=env:HOME",
            ],
            environment);

        await AddressAsync(command);
        Assert.Equal("ok", await _client.GetStringAsync(_address));

        string text = await File.ReadAllTextAsync(seen);
        Assert.Contains("UNRELATED=kept", text, StringComparison.Ordinal);
        Assert.Contains("\nHOME=", "\n" + text, StringComparison.Ordinal);
        Assert.All(["hunter2", "hunter3"], secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
    }

    /// <summary>
    /// The target takes the old key until it has seen the new one, and from then on the new one alone, but for what was on its way: one request of each other
    /// client.
    /// </summary>
    [Fact]
    public async Task FileThatChangesUnderLoadTakesEffectWithoutAFailedRequest()
    {
        const int Clients = 8, After = 200;
        string file = _folder.Write("key", "key-0");
        await using Command command = Proxy(null, "--remote-forward-headers-secret", $"X-Key=file:{file}");
        await AddressAsync(command);
        int seen = 0, late = 0;
        var wrong = new List<string>();
        _upstream.Accepts = fields => IsGood(fields["X-Key"]);
        using var stopping = new CancellationTokenSource();
        Task<int>[] clients = [.. Enumerable.Range(0, Clients).Select(_ => CallAsync(stopping.Token))];

        for (int generation = 1; generation <= 3; generation++)
        {
            string next = _folder.Write("next", $"key-{generation}");
            File.Move(next, file, overwrite: true);
            await Patience.UntilAsync(() => Volatile.Read(ref seen) == generation);
            int before = _upstream.Requests.Count;
            await Patience.UntilAsync(() => _upstream.Requests.Count > before + After);
        }

        File.Delete(file);
        await command.ErrorLineAsync("X-Key could not be read again or cannot be used; the value read before stays in use");
        int last = _upstream.Requests.Count;
        await Patience.UntilAsync(() => _upstream.Requests.Count > last + After);
        await stopping.CancelAsync();

        Assert.True((await Task.WhenAll(clients)).Sum() > 0);
        Assert.Empty(wrong);

        bool IsGood(string key)
        {
            lock (wrong)
            {
                int now = int.Parse(key["key-".Length..], System.Globalization.CultureInfo.InvariantCulture);
                late = now > seen ? 0 : late;
                bool isGood = now == seen || now == seen + 1 || (now == seen - 1 && ++late < Clients);
                seen = Math.Max(seen, now);
                if (!isGood)
                {
                    wrong.Add(key);
                }

                return isGood;
            }
        }
    }

    private Uri? _address;

    private Command Proxy(Dictionary<string, string>? environment, params string[] flags) =>
        Command.Start(["proxy", "name", "--target-uri", _upstream.Origin, .. flags], Environment(environment ?? []));

    private Dictionary<string, string> Environment(Dictionary<string, string> more) => new(more) { ["MCPPROXYFAST_REMOTE_AUTH_STORE"] = _folder.File("credentials") };

    private async Task SetAsync(string name, string value) => Assert.Equal(
        0, (await Command.RunWithInputAsync(Encoding.UTF8.GetBytes(value), ["secret", "set", name], Environment([]))).ExitCode);

    private async Task AddressAsync(Command command) =>
        _address = new Uri($"http://127.0.0.1:{(await command.LineAsync("on port")).Split("on port ")[1].Split(' ')[0]}/mcp");

    /// <returns>What the target got.</returns>
    private async Task<IReadOnlyDictionary<string, string>> SendAsync(Command command)
    {
        await AddressAsync(command);
        Assert.Equal("ok", await _client.GetStringAsync(_address));
        return _upstream.Requests.Last();
    }

    private async Task<int> CallAsync(CancellationToken stopping)
    {
        int answers = 0;
        for (; !stopping.IsCancellationRequested; answers++)
        {
            using var content = new StringContent("{}");
            using HttpResponseMessage answer = await _client.PostAsync(_address, content, CancellationToken.None);
            Assert.Equal(200, (int)answer.StatusCode);
        }

        return answers;
    }
}
