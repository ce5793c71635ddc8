using System.Diagnostics.CodeAnalysis;

namespace McpProxyFast;

/// <summary>Checks single values of a policy. Each message names the property and says what would be right.</summary>
internal static class PolicyValue
{
    /// <exception cref="ArgumentException"><paramref name="holds"/> is false. The message is the property's name and the rule.</exception>
    public static void Require(bool holds, string property, string rule)
    {
        if (!holds)
        {
            throw new ArgumentException($"{property}: {rule}", property);
        }
    }

    /// <summary>Like <see cref="Require"/>, but returns the value, for use in a property's setter.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="ArgumentException"><paramref name="holds"/> is false.</exception>
    public static T Checked<T>(T value, bool holds, string property, string rule)
    {
        Require(holds, property, rule);
        return value;
    }

    /// <summary>Refuses an empty text; null is allowed. An empty text usually comes from an environment variable that is not set.</summary>
    /// <exception cref="ArgumentException">The text is empty.</exception>
    [return: NotNullIfNotNull(nameof(text))]
    public static string? NotEmpty(string? text, string property) =>
        Checked(text, text is not "", property, "It is given and empty; give it a value, or leave it out.");

    /// <summary>Checks the URL of an endpoint to which credentials are sent.</summary>
    /// <param name="url">The endpoint.</param>
    /// <param name="property">The property with the URL.</param>
    /// <param name="name">What the message calls the endpoint.</param>
    /// <exception cref="ArgumentException">The URL is neither https nor http on loopback.</exception>
    public static T SecureUrl<T>(T url, string property, string name)
        where T : Uri? =>
        Checked(url, url is null || UrlRule.IsSecure(url), property, $"The {name} must be an https URL (http only on loopback).");

    /// <exception cref="ArgumentException">An entry is not a scope (RFC 6749 §3.3).</exception>
    public static IReadOnlyList<string> Scopes(IReadOnlyList<string> scopes, string property) =>
        Checked(scopes, scopes.All(IsScope), property, "A scope must be one word of visible ASCII without quotes or backslashes (RFC 6749 §3.3).");

    /// <summary>Whether the text is one word of visible ASCII.</summary>
    public static bool IsWord(string text) => text.Length > 0 && text.All(character => character is > ' ' and < '\x7f');

    // RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    private static bool IsScope(string text) => IsWord(text) && !text.AsSpan().ContainsAny('"', '\\');
}
