using System.Security.Cryptography;

namespace McpProxyFast.OAuth.Store;

/// <summary>The lock for using the refresh token of one entry; one process at a time holds it. It knows which refresh tokens have been sent.</summary>
/// <remarks>
/// A server that rotates refresh tokens revokes the grant if one is used twice. So the digest of a refresh token is written to the lock's own file before the
/// token is sent. If the process is killed before the answer comes, or the new token cannot be stored because the disk is full, the next process sees that the
/// old token has been sent. The file is overwritten in place, which also works if the disk is full.
/// </remarks>
/// <param name="file">The locked file; null if the store is in memory, or the file cannot be used.</param>
internal sealed class RenewalTurn(FileStream? file) : IDisposable
{
    /// <summary>
    /// The maximum number of digests that are kept; then the oldest is dropped. More than one is needed only while the disk is full: 128 tokens that last an
    /// hour each are enough for five days.
    /// </summary>
    private const int MaxShown = 128;

    private const int DigestBytes = SHA256.HashSizeInBytes;

    /// <summary>The digests, the newest first, then zeros. They are the same as in the file, unless the file could not be written.</summary>
    private byte[] _shown = Read(file);

    public bool WasShown(string refreshToken) => PlaceOf(refreshToken) >= 0;

    /// <summary>Records a refresh token that is about to be sent.</summary>
    public void Remember(string refreshToken) => Write([.. Digest(refreshToken), .. _shown.AsSpan(0, _shown.Length - DigestBytes)]);

    /// <summary>Removes the record of a refresh token that the server has not used, so that it may be sent again.</summary>
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
            // The file could not be read or written. The digests are only in memory, as long as this process holds the lock.
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
            // A write fails rarely, even on a full disk, since the file already has its size. After a failure, the digests are only in memory, as long as this
            // process holds the lock.
        }
    }

    private static void Save(FileStream file, byte[] shown)
    {
        file.Position = 0;
        file.Write(shown);
        file.Flush(flushToDisk: true);
    }
}
