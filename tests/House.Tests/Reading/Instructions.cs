using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace McpProxyFast.House.Tests.Reading;

/// <summary>Walks the instructions of a method body.</summary>
internal static class Instructions
{
    private static readonly Dictionary<int, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value & 0xFFFF);

    /// <summary>The types, members and signatures that instructions name, in order.</summary>
    public static List<EntityHandle> Names(BlobReader body)
    {
        List<EntityHandle> names = [];
        while (body.RemainingBytes > 0)
        {
            int code = body.ReadByte();
            OpCode instruction = Codes[code == 0xFE ? (code << 8) | body.ReadByte() : code];
            switch (instruction.OperandType)
            {
                case OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok or OperandType.InlineSig:
                    names.Add(MetadataTokens.EntityHandle(body.ReadInt32()));
                    break;
                case OperandType.InlineSwitch:
                    int targets = body.ReadInt32(); // moves the offset, so it is read first
                    body.Offset += 4 * targets;
                    break;
                default:
                    body.Offset += Length(instruction.OperandType);
                    break;
            }
        }

        return names;
    }

    private static int Length(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineBrTarget or OperandType.InlineI or OperandType.ShortInlineR or OperandType.InlineString => 4,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => throw new BadImageFormatException($"An operand of the kind {operand}."),
    };
}
