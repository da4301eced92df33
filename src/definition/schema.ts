// A workflow's `input:`, compiled with ajv once and used for every start.
// The schema comes from an operator, the values from strangers: own properties only, every violation, none remote.
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { ErrorObject, ValidateFunction } from 'ajv'
import addFormatsModule from 'ajv-formats'
import { RE2JS } from 're2js'
import type { Json } from '../base/json.ts'
import { isList, isObject } from './cursor.ts'
import type { Path } from './cursor.ts'

// ajv-formats is CommonJS: under nodenext its function is the default of the default.
const addFormats = addFormatsModule.default

/** One violation of an input schema. */
export interface Violation {
  /** JSON pointer into the value: "/amount"; "" is the value itself. */
  readonly pointer: string
  /** "must be number". */
  readonly message: string
}

/** A workflow's `input:`, compiled. */
export interface InputSchema {
  readonly schema: Json
  /** Every violation; empty when the value is fine. */
  validate(value: Json): readonly Violation[]
}

/** A schema that is none: the author acts. `path` leads into the schema where that is known. */
export class InputSchemaError extends Error {
  override readonly name = 'InputSchemaError'
  readonly code = 'DW_INPUT_SCHEMA'
  readonly path: Path
  constructor(message: string, path: Path = []) {
    super(message)
    this.path = path
  }
}

/** What browsers take. */
const urlCharactersMax = 2_083
/** Violations told of one value: the rest says the same. */
const violationsMax = 100

const draft07 = /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/
const draft2020 = 'https://json-schema.org/draft/2020-12/schema'

/** Compiles a JSON Schema (draft 2020-12, or draft-07 where `$schema` says so). @throws {InputSchemaError} */
export function compileInputSchema(schema: Json): InputSchema {
  if (!isObject(schema) && typeof schema !== 'boolean') throw new InputSchemaError('expected a JSON Schema')
  if (isObject(schema) && schema['$async'] !== undefined) {
    throw new InputSchemaError('`$async` schemas are not supported', ['$async'])
  }
  const ajv = ajvFor(isObject(schema) ? schema['$schema'] : undefined)
  let check: ValidateFunction
  try {
    if (ajv.validateSchema(schema) !== true) {
      const [error] = ajv.errors ?? []
      const reason = error?.message ?? 'unknown reason'
      throw new InputSchemaError(`not a JSON Schema: ${reason}`, pathOf(error?.instancePath ?? '', schema))
    }
    check = ajv.compile(schema)
  } catch (error) {
    if (error instanceof InputSchemaError) throw error
    throw new InputSchemaError(`not a usable JSON Schema: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    if (isObject(schema)) ajv.removeSchema(schema) // its `$id` is nobody else's business
  }
  return {
    schema,
    validate(value) {
      try {
        if (check(value)) return []
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        return [{ pointer: '', message: 'the schema refers to itself without an end' }]
      }
      return (check.errors ?? []).slice(0, violationsMax).map((error) => ({
        pointer: error.instancePath,
        message: violationMessage(error),
      }))
    },
  }
}

const opened = new Map<string, Ajv>()

/** One compiler for each dialect: opening one costs 20 ms, using it far less. */
function ajvFor(dialect: Json | undefined): Ajv {
  const isDraft07 = typeof dialect === 'string' && draft07.test(dialect)
  if (!isDraft07 && dialect !== undefined && dialect !== draft2020) {
    const found = JSON.stringify(dialect)
    throw new InputSchemaError(`expected draft 2020-12 or draft-07 in \`$schema\`, found ${found}`, ['$schema'])
  }
  const name = isDraft07 ? 'draft-07' : 'draft 2020-12'
  const known = opened.get(name)
  if (known !== undefined) return known
  const ajv = isDraft07 ? new Ajv(options) : new Ajv2020(options)
  addFormats(ajv)
  const url = ajv.formats['url']
  // Its expression backtracks: the time grows with the square of the length, and values are of strangers.
  if (url instanceof RegExp) ajv.addFormat('url', (text) => text.length <= urlCharactersMax && url.test(text))
  opened.set(name, ajv)
  return ajv
}

/** Patterns run on values of strangers: RE2's engine is linear in them, and refuses what it could not keep that for. */
export const linearRegExp = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern))
    // ajv tells patterns apart by their text.
    return { test: (text: string) => compiled.matcher(text).find(), toString: () => pattern }
  },
  { code: 'linearRegExp' },
)

const options = {
  code: { regExp: linearRegExp },
  allErrors: true,
  strict: true,
  // A schema may ask for more than it describes: what counts as a mistake is an unknown keyword or format.
  strictTypes: false,
  strictRequired: false,
  strictTuples: false,
  ownProperties: true,
  logger: false,
} as const

function violationMessage(error: ErrorObject): string {
  const extra: unknown = error.params['additionalProperty'] ?? error.params['unevaluatedProperty']
  const message = error.message ?? 'is not valid'
  if (typeof extra === 'string') return `${message} (${JSON.stringify(extra)})`
  const allowed: unknown = error.params['allowedValues'] ?? error.params['allowedValue']
  return allowed === undefined ? message : `${message} (${JSON.stringify(allowed)})`
}

/** A JSON pointer as a path: list indexes are told from keys by what they lead into. */
export function pathOf(pointer: string, root: Json): Path {
  const path: (string | number)[] = []
  let value: Json | undefined = root
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(isList(value) ? Number(key) : key)
    if (isList(value)) value = value[Number(key)]
    else value = isObject(value) ? value[key] : undefined
  }
  return path
}
