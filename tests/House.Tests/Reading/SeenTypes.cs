using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Text.RegularExpressions;

namespace McpProxyFast.House.Tests.Reading;

/// <summary>Decodes signatures and the arguments of attributes; tells of each type that it meets.</summary>
/// <remarks>The string that stands for a type is its full name; only attributes need it, to know how their arguments are stored.</remarks>
internal sealed partial class SeenTypes(MetadataReader metadata, Action<CodePlace> see)
    : ISignatureTypeProvider<string, object?>, ICustomAttributeTypeProvider<string>
{
    /// <summary>The assembly's own types by full name, for the names that attributes hold as text.</summary>
    private readonly Dictionary<string, TypeDefinitionHandle> _own = metadata.TypeDefinitions
        .GroupBy(handle => FullName(metadata, handle))
        .ToDictionary(group => group.Key, group => group.First());

    /// <summary>The type that a person wrote around this one; itself where it is not nested.</summary>
    public CodePlace Outermost(TypeDefinitionHandle handle)
    {
        TypeDefinition type = metadata.GetTypeDefinition(handle);
        while (type.IsNested)
        {
            type = metadata.GetTypeDefinition(type.GetDeclaringType());
        }

        return new CodePlace(metadata.GetString(type.Namespace), Plain(metadata.GetString(type.Name)), "");
    }

    /// <summary>One of the assembly's own types by its outermost one, a type from elsewhere by its whole name.</summary>
    public CodePlace Describe(EntityHandle handle) => handle.Kind is HandleKind.TypeDefinition
        ? Outermost((TypeDefinitionHandle)handle)
        : DescribeReference(metadata.GetTypeReference((TypeReferenceHandle)handle));

    /// <summary>The type that a member belongs to; null for one of an array or of a module.</summary>
    public CodePlace? TypeOf(EntityHandle parent)
    {
        switch (parent.Kind)
        {
            case HandleKind.TypeDefinition or HandleKind.TypeReference:
                return Describe(parent);
            case HandleKind.TypeSpecification:
                BlobReader signature = metadata.GetBlobReader(metadata.GetTypeSpecification((TypeSpecificationHandle)parent).Signature);
                if (signature.ReadSignatureTypeCode() is not SignatureTypeCode.GenericTypeInstance)
                {
                    return null;
                }

                signature.ReadSignatureTypeCode(); // class or value type
                return Describe(signature.ReadTypeHandle());
            default:
                return null;
        }
    }

    public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
    {
        see(Outermost(handle));
        return FullName(reader, handle);
    }

    public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
    {
        CodePlace type = Describe(handle);
        see(type);
        return type.FullType;
    }

    public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    public string GetTypeFromSerializedName(string name)
    {
        foreach (Match part in TypeName().Matches(name))
        {
            if (_own.TryGetValue(part.Value, out TypeDefinitionHandle handle))
            {
                see(Outermost(handle));
            }
        }

        return name.Split(',')[0];
    }

    public PrimitiveTypeCode GetUnderlyingEnumType(string type)
    {
        if (!_own.TryGetValue(type, out TypeDefinitionHandle handle))
        {
            return PrimitiveTypeCode.Int32; // as all but a few enums of the runtime
        }

        FieldDefinition value = metadata.GetTypeDefinition(handle).GetFields()
            .Select(metadata.GetFieldDefinition)
            .First(field => metadata.GetString(field.Name) == "value__");
        return Enum.Parse<PrimitiveTypeCode>(value.DecodeSignature(this, null));
    }

    public bool IsSystemType(string type) => type == "System.Type";

    public string GetSystemType() => "System.Type";

    public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();

    public string GetSZArrayType(string elementType) => elementType + "[]";

    public string GetArrayType(string elementType, ArrayShape shape) => elementType + "[]";

    public string GetByReferenceType(string elementType) => elementType;

    public string GetPointerType(string elementType) => elementType;

    public string GetPinnedType(string elementType) => elementType;

    public string GetFunctionPointerType(MethodSignature<string> signature) => "";

    public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) => genericType;

    public string GetGenericMethodParameter(object? genericContext, int index) => "";

    public string GetGenericTypeParameter(object? genericContext, int index) => "";

    public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;

    private static string FullName(MetadataReader metadata, TypeDefinitionHandle handle)
    {
        TypeDefinition type = metadata.GetTypeDefinition(handle);
        string name = metadata.GetString(type.Name);
        return type.IsNested ? $"{FullName(metadata, type.GetDeclaringType())}+{name}"
            : type.Namespace.IsNil ? name
            : $"{metadata.GetString(type.Namespace)}.{name}";
    }

    private CodePlace DescribeReference(TypeReference type)
    {
        string name = Plain(metadata.GetString(type.Name));
        if (type.ResolutionScope.Kind is not HandleKind.TypeReference)
        {
            return new CodePlace(metadata.GetString(type.Namespace), name, "");
        }

        CodePlace outer = DescribeReference(metadata.GetTypeReference((TypeReferenceHandle)type.ResolutionScope));
        return outer with { Type = $"{outer.Type}.{name}" };
    }

    private static string Plain(string name) => name.Split('`')[0];

    [GeneratedRegex(@"[\w.+`<>]+")]
    private static partial Regex TypeName();
}
