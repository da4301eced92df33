// What a module exports, read as a handler: everything that is wrong with it is told at once.
import type { Json } from '../base/json.ts'
import { compileInputSchema } from '../definition/schema.ts'
import type { Handler, HandlerModule, HandlerStop, ValueSchema } from './contract.ts'

interface Reading {
  /** Absent where something is wrong. */
  readonly module: HandlerModule | undefined
  /** Each the end of a sentence that begins with the file. */
  readonly wrongs: readonly string[]
}

/** Reads the exports of a module under its handler's name. */
export function readExports(name: string, exported: { readonly [name: string]: unknown }): Reading {
  const wrongs: string[] = []
  const { default: run, stop, concurrency } = exported
  if (!isHandler(run)) {
    wrongs.push('has no function as its default export: write "export default async (task) => { … }".')
  }
  if (stop !== undefined && !isStop(stop)) {
    wrongs.push('exports "stop", which is not a function: write "export async function stop(task) { … }".')
  }
  const input = readSchema('input', exported['input'], wrongs)
  const output = readSchema('output', exported['output'], wrongs)
  if (concurrency !== undefined && !isCount(concurrency)) {
    wrongs.push('exports "concurrency", which is not a whole number of 1 or more.')
  }
  if (wrongs.length > 0 || !isHandler(run)) return { module: undefined, wrongs }
  const module = {
    name,
    run,
    ...(isStop(stop) ? { stop } : {}),
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    ...(isCount(concurrency) ? { concurrency } : {}),
  }
  return { module, wrongs }
}

const isHandler = (value: unknown): value is Handler => typeof value === 'function'
const isStop = (value: unknown): value is HandlerStop => typeof value === 'function'

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1
}

function readSchema(name: 'input' | 'output', exported: unknown, wrongs: string[]): ValueSchema | undefined {
  if (exported === undefined) return undefined
  try {
    return compileInputSchema(JSON.parse(JSON.stringify(exported)) as Json)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    wrongs.push(`exports "${name}", which cannot be used as a JSON Schema: ${reason}.`)
    return undefined
  }
}
