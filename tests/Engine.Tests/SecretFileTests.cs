using System.Runtime.InteropServices;

namespace McpProxyFast.Engine.Tests;

/// <summary>A file with a secret is read within a bound of bytes and of time, whatever stands at its path.</summary>
public sealed partial class SecretFileTests : IDisposable
{
    private const int OwnerOnly = 0x180; // 0600

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mcpproxyfast-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("secret")]
    [InlineData(" \tsecret\r\n\n")]
    [InlineData("\uFEFFsecret")]
    public async Task WhiteSpaceAndAByteOrderMarkAreNotPartOfTheSecret(string content)
    {
        string path = Write(content);

        Assert.Equal("secret", SecretFile.Read(path));
        Assert.Equal("secret", await SecretFile.ReadAsync(path, CancellationToken.None));
    }

    [Fact]
    public async Task FileOfTheLargestSizeIsRead()
    {
        string path = Write(new string('a', SecretFile.MaxBytes));

        Assert.Equal(SecretFile.MaxBytes, SecretFile.Read(path).Length);
        Assert.Equal(SecretFile.MaxBytes, (await SecretFile.ReadAsync(path, CancellationToken.None)).Length);
    }

    [Fact]
    public async Task MessageNamesTheFileAndWhatIsWrong()
    {
        string large = Write(new string('a', SecretFile.MaxBytes + 1));
        Assert.Equal($"{large} is larger than 64 KiB", await WrongAsync(large));
        string blank = Write(" \n");
        Assert.Equal($"{blank} is empty", await WrongAsync(blank));
        string missing = Path.Combine(_folder.FullName, "missing");
        Assert.Equal($"{missing} cannot be read: there is no such file", await WrongAsync(missing));
        Assert.Equal($"{_folder.FullName} cannot be read: it is a folder", await WrongAsync(_folder.FullName));
        Assert.Equal("a\0b cannot be read: no file can have this name", await WrongAsync("a\0b"));
    }

    /// <summary>Its length is 0 for the system, and reading it never ends.</summary>
    [UnixFact]
    public async Task DeviceWithoutAnEndIsTooLarge() => Assert.Equal("/dev/zero is larger than 64 KiB", await WrongAsync("/dev/zero"));

    [UnixFact]
    public async Task PipeIsReadWhenSomebodyWrites()
    {
        string path = Pipe();
        Task<string> reading = SecretFile.ReadAsync(path, CancellationToken.None);

        await File.WriteAllTextAsync(path, "secret\n");

        Assert.Equal("secret", await reading.Soon());
    }

    /// <summary>To open it blocks in the system, which nothing can cancel.</summary>
    [UnixFact]
    public async Task PipeThatNobodyWritesToIsGivenUp()
    {
        string path = Pipe();

        SecretFileException gaveUp = await Assert.ThrowsAsync<SecretFileException>(
            () => SecretFile.ReadAsync(path, CancellationToken.None, TimeSpan.FromMilliseconds(1)).Soon());
        SecretFileException blocked = Assert.Throws<SecretFileException>(() => SecretFile.Read(path)); // at once: one thread waits for it, not two
        await File.WriteAllTextAsync(path, "secret\n"); // lets that thread go

        Assert.Equal($"{path} cannot be read: it is a pipe that nobody writes to, or its disk does not answer", gaveUp.Message);
        Assert.Equal(gaveUp.Message, blocked.Message);
    }

    /// <summary>The thread that waits for the pipe's writer says nothing about the file that has taken the pipe's place. It ends with the process.</summary>
    [UnixFact]
    public async Task FileInThePlaceOfAPipeThatWasGivenUpIsRead()
    {
        string path = Pipe();
        Assert.Throws<SecretFileException>(() => SecretFile.Read(path, TimeSpan.FromMilliseconds(1)));
        File.Move(Write("secret\n"), path, overwrite: true);

        await Patience.UntilAsync(() => IsRead(path)); // the thread may not have come to the pipe yet
        Assert.Equal("secret", SecretFile.Read(path));
        Assert.Equal("secret", await SecretFile.ReadAsync(path, CancellationToken.None));
    }

    /// <summary>The thread of the first pipe is all that such a path costs.</summary>
    [UnixFact]
    public async Task AnotherPipeInThePlaceOfAPipeThatWasGivenUpIsNotOpened()
    {
        string path = Pipe();
        Assert.Throws<SecretFileException>(() => SecretFile.Read(path, TimeSpan.FromMilliseconds(1)));
        File.Delete(path);
        File.CreateSymbolicLink(path, Pipe());

        Assert.Equal($"{path} cannot be read: it is a pipe that nobody writes to, or its disk does not answer", await WrongAsync(path).Soon());
    }

    private static bool IsRead(string path)
    {
        try
        {
            return SecretFile.Read(path).Length > 0;
        }
        catch (SecretFileException)
        {
            return false;
        }
    }

    /// <summary>Both ways of reading say the same.</summary>
    private static async Task<string> WrongAsync(string path)
    {
        SecretFileException later = await Assert.ThrowsAsync<SecretFileException>(() => SecretFile.ReadAsync(path, CancellationToken.None));
        Assert.Equal(later.Message, Assert.Throws<SecretFileException>(() => SecretFile.Read(path)).Message);
        return later.Message;
    }

    private string Write(string content)
    {
        string path = Path.Combine(_folder.FullName, Path.GetRandomFileName());
        File.WriteAllText(path, content);
        return path;
    }

    private string Pipe()
    {
        string path = Path.Combine(_folder.FullName, Path.GetRandomFileName());
        Assert.Equal(0, MakePipe(path, OwnerOnly));
        return path;
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class UnixFactAttribute : FactAttribute
    {
        public UnixFactAttribute() => Skip = OperatingSystem.IsWindows() ? "Windows has neither named pipes nor devices at a file's path." : null;
    }
}
