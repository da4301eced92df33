// Avro: JSON for all of it. Bytes are base64; a number beyond 2^53 is its digits; unions stand by themselves where their
// branches can be told apart, else as { "branch": value }, as avsc has it.
import avro from 'avsc'
import type { Codec, SchemaText } from './codec.ts'

const { LogicalType, LongType } = avro.types

const isDigits = (value: unknown): value is string => typeof value === 'string' && /^-?[0-9]{1,19}$/.test(value)
const isLong = (value: unknown): boolean =>
  Number.isSafeInteger(value) || (isDigits(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value))
const numberOrDigits = (value: bigint): number | string =>
  Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()

const long = LongType.__with({
  fromBuffer: (bytes: Buffer) => numberOrDigits(bytes.readBigInt64LE()),
  toBuffer(value: number | string) {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(value))
    return bytes
  },
  fromJSON: (value: unknown) => value,
  toJSON: (value: unknown) => value,
  isValid: isLong,
  compare: (left: number | string, right: number | string) => Number(BigInt(left) - BigInt(right)),
})

/** Bytes, fixed ones too, as base64. */
class Base64 extends LogicalType {
  override _fromValue(bytes: unknown): string {
    return (bytes as Buffer).toString('base64')
  }

  override _toValue(text: unknown): Buffer | undefined {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'base64') : undefined
    return bytes?.toString('base64') === text ? bytes : undefined
  }
}

/** @throws Error It is no schema. */
export function avroCodec({ text, references }: SchemaText): Codec {
  const options = { registry: {}, typeHook: hook() }
  for (const reference of references) avro.Type.forSchema(JSON.parse(reference.text) as avro.Schema, options)
  const type = avro.Type.forSchema(JSON.parse(text) as avro.Schema, options)
  return {
    format: 'avro',
    read: (bytes) => type.fromBuffer(bytes),
    write(value) {
      const wrong: string[] = []
      const isValid = type.isValid(value, {
        errorHook: (path: string[], found: unknown, expected: avro.Type) =>
          void wrong.push(
            `/${path.join('/')}: expected ${expected.typeName}, found ${JSON.stringify(found) ?? 'nothing'}`,
          ),
      })
      if (!isValid) throw new Error(wrong.slice(0, 5).join('; '))
      return type.toBuffer(value)
    },
  }
}

function hook(): avro.ForSchemaOptions['typeHook'] {
  /** A logical type asks for the type below it by the same schema. */
  const inside = new Set<unknown>()
  return (schema, options) => {
    const { type } = schema as { readonly type?: unknown }
    if (type === 'long') return long
    if ((type !== 'bytes' && type !== 'fixed') || inside.has(schema)) return undefined
    inside.add(schema)
    return new Base64(schema, options)
  }
}
