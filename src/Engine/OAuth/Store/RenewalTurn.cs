using System.Security.Cryptography;

namespace McpProxyFast.OAuth.Store;

/// <summary>The sole right, among all processes on a store, to show one entry's refresh token. It knows which ones have been shown.</summary>
/// <remarks>
/// A server whose refresh tokens rotate ends the grant where one is shown twice. What has been shown is remembered before it is: by digest, in the turn's own
/// file, which is overwritten where it lies. So it outlives a process that is killed while it waits for the answer, and a full disk, where the store
/// still holds a token that another has replaced.
/// </remarks>
/// <param name="file">The file, held; null where nobody else is to be thought of, or the file cannot be used.</param>
internal sealed class RenewalTurn(FileStream? file) : IDisposable
{
    /// <summary>How many are remembered. More than one matters on a full disk only; there they are enough for five days of tokens of an hour.</summary>
    private const int MaxShown = 128;

    private const int DigestBytes = SHA256.HashSizeInBytes;

    /// <summary>The digests of what has been shown, the newest first, zeros behind the last; as in the file where that can be written.</summary>
    private byte[] _shown = Read(file);

    public bool WasShown(string refreshToken) => PlaceOf(refreshToken) >= 0;

    /// <summary>Remembers a refresh token that is about to be shown.</summary>
    public void Remember(string refreshToken) => Write([.. Digest(refreshToken), .. _shown.AsSpan(0, _shown.Length - DigestBytes)]);

    /// <summary>It has not been taken: it may be shown again.</summary>
    public void Forget(string refreshToken)
    {
        if (PlaceOf(refreshToken) is >= 0 and var place)
        {
            Write([.. _shown.AsSpan(0, place), .. _shown.AsSpan(place + DigestBytes), .. new byte[DigestBytes]]);
        }
    }

    public void Dispose() => file?.Dispose();

    private static byte[] Digest(string refreshToken) => SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(refreshToken));

    private static byte[] Read(FileStream? file)
    {
        byte[] shown = new byte[MaxShown * DigestBytes];
        try
        {
            file?.ReadAtLeast(shown, shown.Length, throwOnEndOfStream: false);
            if (file?.Length < shown.Length)
            {
                Save(file, shown); // gives the file its size, so that it can be overwritten when the disk is full
            }
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            // It is remembered for as long as this process has the turn.
        }

        return shown;
    }

    private int PlaceOf(string refreshToken)
    {
        byte[] digest = Digest(refreshToken);
        for (int place = 0; place < _shown.Length; place += DigestBytes)
        {
            if (_shown.AsSpan(place, DigestBytes).SequenceEqual(digest))
            {
                return place;
            }
        }

        return -1;
    }

    private void Write(byte[] shown)
    {
        _shown = shown;
        try
        {
            if (file is not null)
            {
                Save(file, shown);
            }
        }
        catch (Exception failure) when (FileFault.Is(failure))
        {
            // Then neither could the token be written that another process would show: both need the same disk.
        }
    }

    private static void Save(FileStream file, byte[] shown)
    {
        file.Position = 0;
        file.Write(shown);
        file.Flush(flushToDisk: true);
    }
}
