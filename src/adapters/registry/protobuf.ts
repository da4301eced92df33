// Protobuf, as its JSON mapping has it: lowerCamelCase names, 64-bit numbers as texts, bytes as base64, enums by name,
// what is not set at its default. Behind the schema's id stands which message of the file it is: the path of its indexes,
// with their count before, or 0 for the first one (Confluent's wire format).
import protobuf from 'protobufjs'
import type { Json } from '../../base/json.ts'
import type { Codec, SchemaText } from './codec.ts'

const { Enum, Namespace, Root, Type } = protobuf
const asJson = { longs: String, enums: String, bytes: String, defaults: true, arrays: true, objects: true, json: true }
const indexesMax = 32

/** @throws Error It is no schema, or has no message. */
export function protobufCodec({ text, references }: SchemaText): Codec {
  const root = new Root()
  const wellKnown = (parsed: protobuf.IParserResult): void => {
    for (const name of [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])]) {
      const nested = protobuf.common.get(name)?.nested
      if (nested) root.addJSON(nested)
    }
  }
  for (const reference of references) wellKnown(protobuf.parse(reference.text, root))
  const own = new Root()
  const alone = protobuf.parse(text, own)
  const parsed = protobuf.parse(text, root)
  wellKnown(parsed)
  root.resolveAll()
  // In the order of the file alone: what it refers to may lie in the same package.
  const names = messagesOf(alone.package === undefined ? own : own.lookup(alone.package))

  /** The message of a path of indexes. */
  const messageAt = (indexes: readonly number[]): protobuf.Type => {
    let level = names
    let found: protobuf.Type | undefined
    for (const index of indexes) {
      found = level[index]
      if (found === undefined) break
      level = messagesOf(found)
    }
    if (found === undefined) throw new Error(`the schema has no message ${indexes.join('.')}`)
    return root.lookupType(found.fullName)
  }

  return {
    format: 'protobuf',
    read(bytes) {
      const reader = protobuf.Reader.create(bytes)
      const count = reader.sint32()
      if (count < 0 || count > indexesMax) throw new Error(`${count} indexes of messages`)
      const indexes = count === 0 ? [0] : Array.from({ length: count }, () => reader.sint32())
      const type = messageAt(indexes)
      return type.toObject(type.decode(bytes.subarray(reader.pos)), asJson)
    },
    write(value) {
      const type = messageAt([0])
      checkFields(type, value, '')
      const message = type.fromObject(value as { [key: string]: unknown })
      const wrong = type.verify(message)
      if (wrong !== null) throw new Error(wrong)
      return Buffer.concat([Buffer.of(0), type.encode(message).finish()])
    },
  }
}

function messagesOf(space: protobuf.ReflectionObject | null): readonly protobuf.Type[] {
  return space instanceof Namespace ? space.nestedArray.filter((each) => each instanceof Type) : []
}

/** What the message has no field for would be lost without a word, and so would a name that no enum has. */
function checkFields(type: protobuf.Type, value: Json, place: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${place === '' ? 'expected' : `${place}: expected`} an object, found ${JSON.stringify(value)}`)
  for (const [name, given] of Object.entries(value)) {
    const field = type.fields[name]
    const at = `${place}/${name}`
    if (field === undefined) throw new Error(`${at}: ${type.name} has no such field`)
    const { resolvedType } = field.resolve()
    const all: readonly Json[] =
      field.map && typeof given === 'object' && given !== null
        ? Object.values(given)
        : Array.isArray(given)
          ? (given as Json[])
          : [given]
    for (const one of all) {
      if (one === null) continue
      if (resolvedType instanceof Type) checkFields(resolvedType, one, at)
      else if (resolvedType instanceof Enum && typeof one === 'string' && !Object.hasOwn(resolvedType.values, one))
        throw new Error(`${at}: ${resolvedType.name} has no ${JSON.stringify(one)}`)
      else if (resolvedType === null) checkScalar(field.type, one, at)
    }
  }
}

const isWhole = /^(?:s?fixed|u?int|sint)(?:32|64)$/

/** The library takes any text for a number, and any object for a text. */
function checkScalar(type: string, value: Json, at: string): void {
  const isText = typeof value === 'string'
  const isRight =
    type === 'string' || type === 'bytes'
      ? isText
      : type === 'bool'
        ? typeof value === 'boolean'
        : isWhole.test(type)
          ? Number.isSafeInteger(value) || (isText && /^-?[0-9]{1,20}$/.test(value))
          : typeof value === 'number' || (isText && ['NaN', 'Infinity', '-Infinity'].includes(value))
  if (!isRight) throw new Error(`${at}: expected ${type}, found ${JSON.stringify(value)}`)
}
