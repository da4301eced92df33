// dagger-worker produce: records into a topic, from a flag, a file or a pipe.
//
// A file holds one JSON document a line and is sent in batches while it is read, so it can be of any size. A line that
// is not JSON ends the command; what came before it has been produced, and the message says how much.
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Json } from '../../base/json.ts'
import type { Client, Format, ProducedOffset, RecordToProduce } from '../client.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { createOutput, printable } from '../output.ts'
import { counted } from '../problems.ts'
import { clientFor, type ServerFlag, wholeNumber, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'

/** Records sent in one call: well below the API's body limit with records of a usual size. */
const batchRecordsMax = 500
const batchCharactersMax = 500_000

interface ProduceFlags extends ServerFlag {
  readonly key?: string
  readonly value?: string
  readonly file?: string
  readonly partition?: number
  readonly header?: Headers
  readonly json?: true
}

type Headers = { readonly [name: string]: string }

export function addProduce(program: Command, surroundings: Surroundings): void {
  withServer(program.command('produce').argument('<topic>'))
    .summary('write records to a topic')
    .description('Writes one record, or one for each line of a file, to a topic. Resolves when they are durable.')
    .option('--key <text>', 'the key of the record, or of all of them')
    .addOption(new Option('--value <json|text>', 'the value: JSON, or else taken as text').conflicts('file'))
    .option('--file <file>', 'one JSON value a line; - is standard input')
    .option('--partition <n>', 'the partition (default: by key, as Kafka does it)', wholeNumber(0))
    .option('--header <name=value>', 'a header; may be given many times', parseHeader)
    .option('--json', 'the partition and offset of each record as JSON lines')
    .addHelpText(
      'after',
      `
Examples:
  dagger-worker produce orders --key o-1 --value '{"orderId":"o-1","amount":12.5}'
  dagger-worker produce orders --file orders.jsonl
  jq -c .items[] export.json | dagger-worker produce orders --file -`,
    )
    .action((topic: string, flags: ProduceFlags) => produce(topic, flags, surroundings))
}

async function produce(topic: string, flags: ProduceFlags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const client = clientFor(flags, surroundings)
  const common = {
    ...(flags.partition === undefined ? {} : { partition: flags.partition }),
    ...(flags.header === undefined ? {} : { headers: flags.header }),
  }
  const report = (offsets: readonly ProducedOffset[]): void => {
    for (const { partition, offset } of offsets) {
      if (flags.json === true) output.json({ topic, partition, offset })
    }
  }
  if (flags.value !== undefined) {
    const { key, value, format } = encode(flags.key, flags.value)
    const offsets = await send(client, topic, [{ ...key, value, ...common }], format)
    report(offsets)
    if (flags.json !== true) output.line(`${topic}/${offsets[0]?.partition}@${offsets[0]?.offset}`)
    return
  }
  if (flags.file === undefined) {
    throw new CommandFailure(
      `Nothing to produce: expected --value or --file.\nFor example: dagger-worker produce ${topic} --value '{"hello":"world"}'`,
      exitCodes.usage,
    )
  }
  const key = flags.key === undefined ? {} : { key: flags.key }
  const count = await produceLines(linesOf(flags.file, surroundings), flags.file, async (values) => {
    report(
      await send(
        client,
        topic,
        values.map((value) => ({ ...key, value, ...common })),
        'json',
      ),
    )
  })
  if (flags.json !== true) output.line(`${counted(count, 'record')} produced to ${topic}`)
}

/** Reads lines into batches and hands each one on. Returns how many values there were. */
async function produceLines(
  lines: AsyncIterable<string>,
  file: string,
  sendBatch: (values: readonly Json[]) => Promise<void>,
): Promise<number> {
  let produced = 0
  let lineNumber = 0
  let batch: Json[] = []
  let characters = 0
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return
    await sendBatch(batch)
    produced += batch.length
    batch = []
    characters = 0
  }
  for await (const line of lines) {
    lineNumber += 1
    if (line.trim() === '') continue
    let value: Json
    try {
      value = JSON.parse(line)
    } catch (error) {
      await flush()
      throw new CommandFailure(
        `${file === '-' ? 'standard input' : file}:${lineNumber} is not JSON: ${printable(error instanceof Error ? error.message : String(error))}\n` +
          `Expected one JSON document on each line. ${counted(produced, 'record')} before it produced, nothing after it.`,
      )
    }
    if (batch.length >= batchRecordsMax || characters + line.length > batchCharactersMax) await flush()
    batch.push(value)
    characters += line.length
  }
  await flush()
  return produced
}

/** Sends and looks at every answer. @throws {CommandFailure} One of them was refused. */
async function send(
  client: Client,
  topic: string,
  records: readonly RecordToProduce[],
  format: Format,
): Promise<readonly ProducedOffset[]> {
  const offsets = await client.produce(topic, records, format)
  const refused = offsets.findIndex(({ error }) => error !== null)
  if (refused >= 0) {
    throw new CommandFailure(
      `${topic} refused record ${refused + 1} of ${records.length}: ${printable(offsets[refused]!.error!)}`,
    )
  }
  return offsets
}

/** JSON as JSON; what is not JSON as the bytes of its text, with the key in the same format. */
function encode(key: string | undefined, text: string): { key: { key?: string }; value: Json; format: Format } {
  try {
    return { key: key === undefined ? {} : { key }, value: JSON.parse(text), format: 'json' }
  } catch {
    return { key: key === undefined ? {} : { key: base64(key) }, value: base64(text), format: 'binary' }
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function parseHeader(text: string, previous: Headers | undefined): Headers {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('Expected name=value.')
  return { ...previous, [text.slice(0, equals)]: text.slice(equals + 1) }
}

async function* linesOf(file: string, { stdin, workingDirectory }: Surroundings): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const piece of file === '-' ? stdin : createReadStream(resolve(workingDirectory, file))) {
      rest += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true })
      const lines = rest.split('\n')
      rest = lines.pop()!
      yield* lines
    }
  } catch (error) {
    if (error instanceof CommandFailure || !(error instanceof Error && 'code' in error)) throw error
    throw new CommandFailure(`${file} cannot be read: ${error.message}`, exitCodes.usage)
  }
  if (rest !== '') yield rest
}
