using System.Text;
using McpProxyFast.EndToEnd.Running;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>An installed proxy, run in the foreground on a configuration of <c>Peers</c> whose places are filled in.</summary>
internal abstract class PeerSubject(string program) : Subject
{
    protected string Program { get; } = Command.Find(program);

    public override string? WhyLeftOut() => Command.IsInstalled(program) ? null : $"{program} is not installed";

    /// <summary>Writes the configuration into the site's directory and returns where it is.</summary>
    /// <param name="site">Gives the ports and the directory.</param>
    /// <param name="template">A file of <c>Peers</c>.</param>
    /// <param name="places">What else stands for <c>{{NAME}}</c> in it.</param>
    protected static string Configure(Site site, string template, params (string Name, string Value)[] places)
    {
        var text = new StringBuilder(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Peers", template)));
        text.Replace("{{PORT}}", $"{site.Port}").Replace("{{UPSTREAM_PORT}}", $"{site.UpstreamPort}");
        foreach ((string name, string value) in places)
        {
            text.Replace($"{{{{{name}}}}}", value);
        }

        string file = Path.Combine(site.Directory, template);
        File.WriteAllText(file, text.ToString());
        return file;
    }
}
