// What a partition asks a schema registry for: that the records it decides on were decoded, and the bytes of what it writes.
import { TransientFault } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { RegisteredFormat } from '../definition/topic-format.ts'
import { Misfit } from '../engine/format.ts'
import type { Catalogue } from '../engine/world.ts'
import type { Input } from './batch.ts'
import { areRegistered } from './decoding-reader.ts'
import type { Schemas } from './ports.ts'

/** A schema is not there yet: decide again then. */
export class SchemaAwaited extends Error {
  readonly isThere: Promise<void>
  constructor(isThere: Promise<void>) {
    super('a schema is not there yet')
    this.isThere = isThere
  }
}

/** By TopicNameStrategy: the subject is the topic with "-key" or "-value". @throws {Misfit} @throws {SchemaAwaited} */
export function encodeBy(
  schemas: Schemas | undefined,
  topic: string,
  what: 'key' | 'value',
  format: RegisteredFormat,
  value: Json,
): Uint8Array {
  if (schemas === undefined)
    throw new Misfit(`${what}: ${topic} has the format ${format}, and the worker was given no schemaRegistry`)
  const encoded = schemas.encode(`${topic}-${what}`, format, value)
  if (encoded instanceof Promise) throw new SchemaAwaited(encoded)
  if ('misfit' in encoded) throw new Misfit(`${what}: ${encoded.misfit}`)
  return encoded
}

/** A record may have been taken just before a workflow came that reads it by a schema. @throws {TransientFault} */
export function checkDecoded(inputs: readonly Input[], catalogue: Pick<Catalogue, 'formatsOn'>): void {
  for (const { command, from, poison } of inputs) {
    if (command?.type !== 'record.route' || command.record.decoded !== undefined) continue
    if (from === undefined || from.source.isInbox || poison !== undefined) continue
    if (areRegistered(catalogue.formatsOn(command.record.topic)))
      throw new TransientFault(`workflows read ${command.record.topic} by schemas now: reading it again`)
  }
}
