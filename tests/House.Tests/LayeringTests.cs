using McpProxyFast.House.Tests.Reading;

namespace McpProxyFast.House.Tests;

/// <summary>The arrows of the design: a room of the engine uses exactly what its row in <c>src/Engine/README.md</c> says.</summary>
/// <remarks>
/// The arrows are read twice: from the compiled assembly, which no way of writing a name deceives, and from the bound source, which also has what the compiler
/// folds away. <see cref="LayeringEvasionTests"/> tries the ways around.
/// </remarks>
public sealed class LayeringTests
{
    private const StringComparison Ordinal = StringComparison.Ordinal;
    private const string Table = "the table of src/Engine/README.md";

    private static readonly Lazy<Arrows> Engine = new(() => new Arrows(
        RoomTable.Parse(File.ReadAllText(Path.Combine(SourceTree.Engine, "README.md"))),
        [.. EngineCode.Compiled, .. EngineCode.Written]));

    [Fact]
    public void RoomUsesOnlyWhatItsRowAllows() => Keeper.ExpectNone(
        Engine.Value.NotAllowed(),
        $"Move the code, or hand it what it needs, so that the arrow goes. If the arrow is right, allow it in {Table} and say in the commit why.");

    [Fact]
    public void RoomUsesTheRootOnlyAsItsRowAllows() => Keeper.ExpectNone(
        Engine.Value.RootNotAllowed(),
        $"Hand the room what it needs. Where its row in {Table} says `root`, a room may use the root's records and hooks; "
        + "the wiring that the root's row names is used by no room.");

    [Fact]
    public void RootUsesRoomsOnlyInItsWiring() => Keeper.ExpectNone(
        Engine.Value.RootTypesThatAreNotWiring(),
        $"Records and hooks of the root use no room. Move the code into a room, or name the type as wiring in the root's row of {Table}.");

    [Fact]
    public void RowAllowsOnlyWhatItsRoomUses() => Keeper.ExpectNone(
        Engine.Value.NotUsed(), $"Take the permission out of {Table}, which says exactly what is used.");

    [Fact]
    public void EveryRoomHasARowAndEveryRowARoom() => Keeper.ExpectNone(
        Engine.Value.RowsAndRoomsApart(), $"Bring {Table} and the folders together; a sub-folder has a row of its own (`Transport.Epoll`).");

    [Fact]
    public void RoomsDoNotUseEachOtherInACircle() => Keeper.ExpectNone(
        Engine.Value.Circles(), "Cut the circle: put the contract into the lower room and let the upper one implement it.");

    [Fact]
    public void NamespaceIsTheFolder() => Keeper.ExpectNone(
        SourceTree.Files()
            .Where(file => !File.ReadLines(file.Path).Contains($"namespace {$"McpProxyFast.{file.Folder.Replace('/', '.')}".TrimEnd('.')};"))
            .Select(file => SourceTree.Shown(file.Path)),
        "Give the file the namespace of its folder, sub-folders included.");

    [Fact]
    public void NoFileOpensANamespaceForAllOthers() => Keeper.ExpectNone(
        SourceTree.Files().Select(file => file.Path).Append(Path.Combine(SourceTree.Engine, "Engine.csproj"))
            .Where(path => File.ReadLines(path).Any(line => line.StartsWith("global using", Ordinal) || line.Contains("<Using ", Ordinal)))
            .Select(SourceTree.Shown),
        "Write the `using` in each file that needs it, so that its arrows can be read at its top.");

    /// <summary>The hot path never meets <c>HttpClient</c>, which pools, redirects and decompresses by itself.</summary>
    [Theory]
    [InlineData("HttpClient", "OAuth")]
    [InlineData("Duende.IdentityModel", "OAuth")]
    [InlineData("LibraryImport", "Transport")]
    [InlineData("unsafe ", "Transport")]
    public void NameIsUsedInOneFolderOnly(string name, string folder) => Keeper.ExpectNone(
        SourceTree.Files()
            .Where(file => file.Folder.Split('/')[0] != folder && File.ReadLines(file.Path).Any(line => IsCode(line) && line.Contains(name, Ordinal)))
            .Select(file => $"{SourceTree.Shown(file.Path)} has {name}"),
        $"Only {folder} may use it.");

    private static bool IsCode(string line) => !line.TrimStart().StartsWith("//", Ordinal) && !line.StartsWith("namespace ", Ordinal);
}
