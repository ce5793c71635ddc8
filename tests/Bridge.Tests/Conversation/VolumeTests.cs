using System.Text;
using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>Many messages, large ones, and any cuts between their bytes.</summary>
public sealed class VolumeTests
{
    [Fact]
    public async Task TenThousandMessagesInRandomOrderSizesAndCutsAreEachAnsweredWithTheirOwn()
    {
        const int most = 10_000;
        var random = new Random(20261126);
        int[] ids = [.. Enumerable.Range(0, most)];
        random.Shuffle(ids);
        int[] sizes = [.. ids.Select(_ => random.Next(100) switch { 0 => random.Next(200_000), < 20 => random.Next(20_000), _ => random.Next(200) })];
        int[] cuts = [.. ids.Select(_ => random.Next(1, 40_000))];
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            string answer = Lines.Result(exchange.Id!, $"{exchange.Json!["params"]!["text"]!.GetValue<string>().Length}");
            await (int.Parse(exchange.Id!) % 3 == 0 ? exchange.EventsAsync($"data: {answer}\n\n") : exchange.JsonAsync(answer));
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        Task sending = SendAsync();

        var answered = new Dictionary<int, string>();
        for (int i = 0; i < most; i++)
        {
            JsonNode answer = await bridge.ReceiveAsync();
            answered.Add(answer["id"]!.GetValue<int>(), answer["result"]?["text"]!.GetValue<string>() ?? answer.ToJsonString());
        }

        await sending;
        Assert.All(ids, (id, index) => Assert.Equal($"{sizes[index]}", answered[id]));

        async Task SendAsync()
        {
            var pending = new MemoryStream();
            for (int i = 0; i < most; i++)
            {
                string text = new('x', sizes[i]);
                pending.Write(Encoding.UTF8.GetBytes($$$"""{"jsonrpc":"2.0","id":{{{ids[i]}}},"method":"m","params":{"text":"{{{text}}}"}}""" + "\n"));
                if (pending.Length >= cuts[i] || i == most - 1)
                {
                    byte[] bytes = pending.ToArray();
                    int cut = i == most - 1 ? bytes.Length : Math.Min(cuts[i], bytes.Length);
                    await bridge.SendBytesAsync(bytes.AsMemory(0, cut));
                    pending.SetLength(0);
                    pending.Write(bytes.AsSpan(cut));
                }
            }
        }
    }

    [Fact]
    public async Task LargeMessagePassesEachWay()
    {
        const int size = 32 * 1024 * 1024;
        long received = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            received = exchange.Body.Length;
            exchange.Http.Response.ContentType = "application/json";
            await exchange.Http.Response.Body.WriteAsync("""{"jsonrpc":"2.0","id":1,"result":{"text":"""u8.ToArray());
            await exchange.Http.Response.Body.WriteAsync("\""u8.ToArray());
            byte[] block = new byte[1024 * 1024];
            block.AsSpan().Fill((byte)'y');
            for (int i = 0; i < size / block.Length; i++)
            {
                await exchange.Http.Response.Body.WriteAsync(block);
            }

            await exchange.Http.Response.Body.WriteAsync("\"}}"u8.ToArray());
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        string sent = $$$"""{"jsonrpc":"2.0","id":1,"method":"m","params":{"text":"{{{new string('x', size)}}}"}}""";

        JsonNode answer = await bridge.AskAsync(sent);

        Assert.Equal(sent.Length, received);
        Assert.Equal(size, answer["result"]!["text"]!.GetValue<string>().Length);
    }
}
