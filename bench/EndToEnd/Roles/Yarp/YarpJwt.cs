using McpProxyFast.EndToEnd.Running;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace McpProxyFast.EndToEnd.Roles.Yarp;

/// <summary>Checks JWTs before YARP forwards, the way ASP.NET Core's manual says.</summary>
internal static class YarpJwt
{
    public static void Add(WebApplicationBuilder builder, string issuer)
    {
        builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(options =>
        {
            options.Authority = issuer;
            options.Audience = Materials.Audience;
            options.RequireHttpsMetadata = false;
        });
    }

    /// <summary>Refuses whatever has no valid token, without the routing that the forwarder does without as well.</summary>
    public static void Require(WebApplication app)
    {
        app.UseAuthentication();
        app.Use((context, next) =>
        {
            if (context.User.Identity is { IsAuthenticated: true })
            {
                return next(context);
            }

            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        });
    }
}
