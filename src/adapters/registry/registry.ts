// A schema registry as the runtime asks it: at once where the schema is known, else later. An id means the same for ever;
// what a subject has as its latest is asked again now and then, and what was missing too.
import type { Json } from '../../base/json.ts'
import type { Logger } from '../../base/logger.ts'
import { thrownText } from '../../base/thrown.ts'
import type { RegisteredFormat } from '../../definition/topic-format.ts'
import type { Clock, Schemas } from '../../runtime/ports.ts'
import { avroCodec } from './avro.ts'
import type { Codec, SchemaText } from './codec.ts'
import { jsonSchemaCodec } from './json-schema.ts'
import { protobufCodec } from './protobuf.ts'
import { latestOf, NotRegistered, schemaOfId, type RegistryConnection } from './rest.ts'

export interface RegistryOptions extends RegistryConnection {
  readonly clock: Clock
  readonly logger: Logger
}

/** How long what a subject has as its latest is taken for that. */
const latestKeptMs = 60_000
/** How long what was not there is taken for missing: registries that are copies of others are behind them. */
const missingKeptMs = 5_000
const retryMs = { first: 250, max: 10_000 }
const headBytes = 5

type Decoded = ReturnType<Schemas['decode']>
type Known = { readonly codec: Codec } | { readonly missing: string; readonly untilMs: number }
interface Latest {
  readonly known: Known
  readonly id: number
  readonly askAgainMs: number
}

export function openRegistry(options: RegistryOptions): Schemas {
  const { clock, logger } = options
  const byId = new Map<number, Known>()
  const latest = new Map<string, Latest>()
  /** Who waits for what, by id or subject. */
  const waiting = new Map<number | string, Set<() => void>>()
  const encoder = new TextEncoder()
  let trouble: string | undefined

  /** Asks until there is an answer, good or bad. */
  function load(what: number | string, ask: () => Promise<void>, onChange: () => void): void {
    const others = waiting.get(what)
    if (others !== undefined) return void others.add(onChange)
    const waiters = new Set([onChange])
    waiting.set(what, waiters)
    const attempt = (delayMs: number): void => {
      ask().then(
        () => {
          trouble = undefined
          waiting.delete(what)
          for (const tell of waiters) tell()
        },
        (error: unknown) => {
          const reason = thrownText(error)
          if (trouble !== reason) logger.warn({ schema: what }, `${reason}; asking again until it does`)
          trouble = reason
          clock.after(delayMs, () => attempt(Math.min(delayMs * 2, retryMs.max)))
          for (const tell of waiters) tell()
        },
      )
    }
    attempt(retryMs.first)
  }

  /** What was answered for good. */
  async function answered<Text extends SchemaText>(
    ask: Promise<Text>,
  ): Promise<{ known: Known; text: Text | undefined }> {
    try {
      const text = await ask
      return { known: compiled(text), text }
    } catch (error) {
      if (!(error instanceof NotRegistered)) throw error
      return { known: { missing: error.message, untilMs: clock.nowMs() + missingKeptMs }, text: undefined }
    }
  }

  function compiled(text: SchemaText): Known {
    try {
      return { codec: codecOf(text) }
    } catch (error) {
      const missing = `the schema cannot be used: ${thrownText(error)}`
      return { missing, untilMs: clock.nowMs() + missingKeptMs }
    }
  }

  function decode(given: Uint8Array, onKnown: () => void): Decoded {
    const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength)
    if (bytes.length < headBytes || bytes[0] !== 0)
      return { code: 'schema-misfit', message: 'it does not begin with the id of a schema' }
    const id = bytes.readInt32BE(1)
    const known = byId.get(id)
    if (known === undefined || ('missing' in known && known.untilMs <= clock.nowMs())) {
      const ask = async (): Promise<void> => void byId.set(id, (await answered(schemaOfId(options, id))).known)
      load(id, ask, onKnown)
      return undefined
    }
    if ('missing' in known) return { code: 'schema-unknown', message: `schema ${id}: ${known.missing}` }
    try {
      return { json: encoder.encode(JSON.stringify(known.codec.read(bytes.subarray(headBytes)))) }
    } catch (error) {
      return { code: 'schema-misfit', message: `it is not of the schema ${id}: ${thrownText(error)}` }
    }
  }

  function encode(subject: string, format: RegisteredFormat, value: Json): ReturnType<Schemas['encode']> {
    const found = latest.get(subject)
    const nowMs = clock.nowMs()
    if (found === undefined || ('missing' in found.known && found.askAgainMs <= nowMs))
      return new Promise((resolve) => load(subject, () => learn(subject), resolve))
    if (found.askAgainMs <= nowMs)
      load(
        subject,
        () => learn(subject),
        () => {},
      )
    if ('missing' in found.known) return { misfit: `${subject}: ${found.known.missing}` }
    const { codec } = found.known
    if (codec.format !== format)
      return { misfit: `${subject} has a schema of ${codec.format}, and the format ${format}` }
    try {
      const head = Buffer.alloc(headBytes)
      head.writeInt32BE(found.id, 1)
      return Buffer.concat([head, codec.write(value)])
    } catch (error) {
      return { misfit: `it does not fit ${subject}: ${thrownText(error)}` }
    }
  }

  async function learn(subject: string): Promise<void> {
    const { known, text } = await answered(latestOf(options, subject))
    const keptMs = 'missing' in known ? missingKeptMs : latestKeptMs
    latest.set(subject, { known, id: text?.id ?? -1, askAgainMs: clock.nowMs() + keptMs })
  }

  return {
    decode,
    encode,
    get trouble() {
      return trouble
    },
  }
}

function codecOf(text: SchemaText): Codec {
  switch (text.type) {
    case 'AVRO':
      return avroCodec(text)
    case 'PROTOBUF':
      return protobufCodec(text)
    case 'JSON':
      return jsonSchemaCodec(text)
    default:
      throw new Error(`schemas of ${text.type} are not known`)
  }
}
