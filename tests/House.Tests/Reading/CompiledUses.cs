using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace McpProxyFast.House.Tests.Reading;

/// <summary>Reads from a compiled assembly what each of its types uses.</summary>
/// <remarks>
/// Read are base types, interfaces, constraints, attributes with their arguments, the signatures of fields, properties, events and methods, local variables,
/// caught exceptions, and every instruction: whose member it names, and the types in that member's signature, so that a type is seen which is only
/// reached through another.
/// What the compiler made out of a lambda, an iterator or an async method counts as part of the type and member that a person wrote.
/// Constants and <c>nameof</c> leave no trace in an assembly: <see cref="SourceUses"/> finds those.
/// </remarks>
internal sealed class CompiledUses
{
    private readonly MetadataReader _metadata;
    private readonly PEReader _assembly;
    private readonly SeenTypes _types;
    private readonly HashSet<Use> _uses = [];
    private CodePlace _place;

    private CompiledUses(PEReader assembly)
    {
        _assembly = assembly;
        _metadata = assembly.GetMetadataReader();
        _types = new SeenTypes(_metadata, See);
    }

    public static IReadOnlyCollection<Use> Read(Stream assembly)
    {
        using var file = new PEReader(assembly);
        var reader = new CompiledUses(file);
        reader.ReadAll();
        return reader._uses;
    }

    private void ReadAll()
    {
        _place = new CodePlace("", "(assembly)", "");
        SeeAttributes(_metadata.GetAssemblyDefinition().GetCustomAttributes());
        foreach (TypeDefinitionHandle handle in _metadata.TypeDefinitions)
        {
            ReadType(handle);
        }
    }

    private void ReadType(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _metadata.GetTypeDefinition(handle);
        CodePlace outermost = _types.Outermost(handle);
        string made = _metadata.GetString(type.Name);
        _place = outermost with { Member = Written(made) };
        See(type.BaseType);
        SeeAttributes(type.GetCustomAttributes());
        SeeConstraints(type.GetGenericParameters());
        foreach (InterfaceImplementation one in type.GetInterfaceImplementations().Select(_metadata.GetInterfaceImplementation))
        {
            See(one.Interface);
            SeeAttributes(one.GetCustomAttributes());
        }

        ReadData(type, outermost, Written(made));
        foreach (MethodDefinitionHandle method in type.GetMethods())
        {
            string name = _metadata.GetString(_metadata.GetMethodDefinition(method).Name);
            _place = outermost with { Member = FirstOf(Written(made), Written(name), name) };
            ReadMethod(_metadata.GetMethodDefinition(method));
        }
    }

    /// <param name="type">The type that holds the data.</param>
    /// <param name="outermost">The type that a person wrote around it.</param>
    /// <param name="member">The member that the compiler made the type of; empty for a type that a person wrote.</param>
    private void ReadData(TypeDefinition type, CodePlace outermost, string member)
    {
        foreach (FieldDefinition field in type.GetFields().Select(_metadata.GetFieldDefinition))
        {
            _place = outermost with { Member = FirstOf(member, Written(_metadata.GetString(field.Name)), _metadata.GetString(field.Name)) };
            field.DecodeSignature(_types, null);
            SeeAttributes(field.GetCustomAttributes());
        }

        foreach (PropertyDefinition property in type.GetProperties().Select(_metadata.GetPropertyDefinition))
        {
            _place = outermost with { Member = _metadata.GetString(property.Name) };
            property.DecodeSignature(_types, null);
            SeeAttributes(property.GetCustomAttributes());
        }

        foreach (EventDefinition one in type.GetEvents().Select(_metadata.GetEventDefinition))
        {
            _place = outermost with { Member = _metadata.GetString(one.Name) };
            See(one.Type);
            SeeAttributes(one.GetCustomAttributes());
        }

        foreach (MethodImplementation one in type.GetMethodImplementations().Select(_metadata.GetMethodImplementation))
        {
            See(one.MethodDeclaration);
        }
    }

    private void ReadMethod(MethodDefinition method)
    {
        method.DecodeSignature(_types, null);
        SeeAttributes(method.GetCustomAttributes());
        SeeConstraints(method.GetGenericParameters());
        foreach (Parameter parameter in method.GetParameters().Select(_metadata.GetParameter))
        {
            SeeAttributes(parameter.GetCustomAttributes());
        }

        if (method.RelativeVirtualAddress == 0)
        {
            return;
        }

        MethodBodyBlock body = _assembly.GetMethodBody(method.RelativeVirtualAddress);
        See(body.LocalSignature);
        foreach (ExceptionRegion region in body.ExceptionRegions)
        {
            See(region.CatchType);
        }

        foreach (EntityHandle named in Instructions.Names(body.GetILReader()))
        {
            See(named);
        }
    }

    private void See(EntityHandle handle)
    {
        if (handle.IsNil)
        {
            return;
        }

        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition or HandleKind.TypeReference:
                See(_types.Describe(handle));
                break;
            case HandleKind.TypeSpecification:
                _metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(_types, null);
                break;
            case HandleKind.MethodDefinition:
                MethodDefinition method = _metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                See(_types.Describe(method.GetDeclaringType()) with { Member = _metadata.GetString(method.Name) });
                method.DecodeSignature(_types, null);
                break;
            case HandleKind.FieldDefinition:
                FieldDefinition field = _metadata.GetFieldDefinition((FieldDefinitionHandle)handle);
                See(_types.Describe(field.GetDeclaringType()) with { Member = _metadata.GetString(field.Name) });
                field.DecodeSignature(_types, null);
                break;
            case HandleKind.MemberReference:
                SeeReference(_metadata.GetMemberReference((MemberReferenceHandle)handle));
                break;
            case HandleKind.MethodSpecification:
                MethodSpecification specific = _metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                See(specific.Method);
                specific.DecodeSignature(_types, null);
                break;
            case HandleKind.StandaloneSignature:
                SeeSignature(_metadata.GetStandaloneSignature((StandaloneSignatureHandle)handle));
                break;
            default:
                throw new BadImageFormatException($"An instruction names a {handle.Kind}.");
        }
    }

    private void SeeReference(MemberReference member)
    {
        string name = _metadata.GetString(member.Name);
        See(member.Parent);
        if (_types.TypeOf(member.Parent) is { } type)
        {
            See(type with { Member = name });
        }

        if (member.GetKind() is MemberReferenceKind.Method)
        {
            member.DecodeMethodSignature(_types, null);
        }
        else
        {
            member.DecodeFieldSignature(_types, null);
        }
    }

    private void SeeSignature(StandaloneSignature signature)
    {
        if (signature.GetKind() is StandaloneSignatureKind.Method)
        {
            signature.DecodeMethodSignature(_types, null);
        }
        else
        {
            signature.DecodeLocalSignature(_types, null);
        }
    }

    private void SeeConstraints(GenericParameterHandleCollection parameters)
    {
        foreach (GenericParameter parameter in parameters.Select(_metadata.GetGenericParameter))
        {
            SeeAttributes(parameter.GetCustomAttributes());
            foreach (GenericParameterConstraintHandle constraint in parameter.GetConstraints())
            {
                See(_metadata.GetGenericParameterConstraint(constraint).Type);
            }
        }
    }

    private void SeeAttributes(CustomAttributeHandleCollection attributes)
    {
        foreach (CustomAttribute attribute in attributes.Select(_metadata.GetCustomAttribute))
        {
            See(attribute.Constructor);
            attribute.DecodeValue(_types);
        }
    }

    private static string FirstOf(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (name.Length > 0)
            {
                return name;
            }
        }

        return "";
    }

    private void See(CodePlace used) => _uses.Add(new Use(_place, used));

    /// <summary>The member that a person wrote, out of the name that the compiler made of it (<c>&lt;RunAsync&gt;d__3</c>); empty where it made none.</summary>
    private static string Written(string name)
    {
        int end = name.IndexOf('>', StringComparison.Ordinal);
        return name[0] == '<' && end > 1 ? name[1..end] : "";
    }
}
