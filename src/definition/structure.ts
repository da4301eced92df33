// The shape of a document: schemas/workflow.schema.json, compiled once, and its errors in words.
// A task is checked against the branch of its own type only, so that an error is about what the author meant.
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import type { ErrorObject, ValidateFunction } from 'ajv'
import type { Json } from '../base/json.ts'
import { isList, isObject } from './cursor.ts'
import type { Cursor, Path } from './cursor.ts'
import { nearest } from './nearest.ts'
import type { Report } from './report.ts'
import { pathOf } from './schema.ts'

/** The types that are built in. */
export const builtInTypes = [
  'kafka-command',
  'kafka-listener',
  'process',
  'parallel',
  'for-each',
  'workflow',
  'interval',
  'decision',
  'set',
  'trigger',
  'signal',
  'http',
  'fail',
  'stop',
] as const

const builtInNames: readonly string[] = builtInTypes

/** True for a task type that names a handler rather than a built-in. */
export function isHandlerType(type: string): boolean {
  return !builtInNames.includes(type)
}

const validate = compileWorkflowSchema()

function compileWorkflowSchema(): ValidateFunction {
  const file = new URL('../../schemas/workflow.schema.json', import.meta.url)
  const schema: { readonly [key: string]: Json } = JSON.parse(readFileSync(file, 'utf8'))
  // strictTypes asks for a `type` beside every keyword, which `if` branches repeat for nothing.
  return new Ajv({ allErrors: true, verbose: true, ownProperties: true, strictTypes: false }).compile(schema)
}

/** Reports where the document has not the shape of a workflow. */
export function reportStructure(document: Cursor, report: Report): void {
  const root = document.value ?? null
  if (validate(root)) return
  for (const error of validate.errors ?? []) {
    reportError(error, pathOf(error.instancePath, root), report)
  }
}

function reportError(error: ErrorObject, path: Path, report: Report): void {
  const title: unknown = isObject(error.parentSchema) ? error.parentSchema['title'] : undefined
  const expected = typeof title === 'string' ? title : undefined
  switch (error.keyword) {
    case 'if':
    case 'propertyNames': // says again what its own error has said
      return
    case 'additionalProperties':
      return reportUnknownKey(error, path, report)
    case 'required': {
      const key = String(error.params['missingProperty'])
      if (key === 'correlate') {
        return report.add(
          'DW_NO_CORRELATION',
          path,
          'a listener needs `correlate`: what says that a record is meant for this instance',
        )
      }
      return report.add(
        'DW_MISSING_KEY',
        path,
        `expected the key \`${key}\`${expected === undefined ? '' : ` in ${expected}`}, found none`,
      )
    }
    case 'enum':
    case 'const': {
      const allowed: readonly Json[] = error.params['allowedValues'] ?? [error.params['allowedValue']]
      const texts = allowed.map(String)
      const suggestion = typeof error.data === 'string' ? nearest(error.data, texts) : undefined
      return report.add('DW_SCHEMA', path, `expected ${texts.join(' or ')}, found ${describe(error.data)}`, {
        suggestion,
      })
    }
    case 'minItems':
      if (path.at(-1) === 'correlate') {
        return report.add('DW_NO_CORRELATION', path, 'a listener needs at least one pair in `correlate`')
      }
      return report.add('DW_EMPTY', path, `expected ${expected ?? 'a list'}, found an empty list`)
    case 'uniqueItems': {
      const index = Number(error.params['i'])
      return report.add(
        'DW_SCHEMA',
        [...path, index],
        `${describe(isList(error.data) ? error.data[index] : undefined)} is repeated`,
      )
    }
    default:
      if (error.propertyName !== undefined) {
        return report.add(
          'DW_SCHEMA',
          [...path, error.propertyName],
          `expected ${expected ?? 'another name'}, found ${describe(error.propertyName)}`,
          { atKey: true },
        )
      }
      if (expected !== undefined && ['type', 'pattern', 'not'].includes(error.keyword)) {
        return report.add('DW_SCHEMA', path, `expected ${expected}, found ${describe(error.data)}`)
      }
      return report.add('DW_SCHEMA', path, `${describe(error.data)} ${error.message ?? 'is not valid'}`)
  }
}

function reportUnknownKey(error: ErrorObject, path: Path, report: Report): void {
  const key = String(error.params['additionalProperty'])
  const schema = isObject(error.parentSchema) ? error.parentSchema : {}
  const keys = isObject(schema['properties']) ? Object.keys(schema['properties']) : []
  const data: Json = isObject(error.data) ? error.data : {}
  const type = isObject(data) ? data['type'] : undefined
  const where = typeof schema['title'] === 'string' ? schema['title'] : 'this place'
  const reason = typeof type === 'string' ? reasonNotHere(key, type) : undefined
  if (reason !== undefined) return report.add('DW_KEY_NOT_HERE', [...path, key], reason, { atKey: true })
  if (typeof type === 'string' && isHandlerType(type)) {
    // A key of a built-in beside a type that is nearly one: the type is what is wrong.
    const builtIn = nearest(type, builtInNames)
    if (builtIn !== undefined) {
      return report.add('DW_UNKNOWN_TASK_TYPE', [...path, 'type'], `unknown task type \`${type}\``, {
        suggestion: builtIn,
      })
    }
  }
  const suggestion = nearest(key, keys)
  const others = suggestion === undefined ? `; it takes ${keys.join(', ')}` : ''
  report.add('DW_UNKNOWN_KEY', [...path, key], `unknown key \`${key}\` in ${where}${others}`, {
    atKey: true,
    suggestion,
  })
}

const inputOf: { readonly [type: string]: string } = {
  'kafka-command': 'its record is written with `topic`, `key`, `value` and `headers`',
  'kafka-listener': 'it takes none',
  process: 'its tasks see `input` and `vars`',
  decision: 'its cases see `input`, `vars` and `tasks`',
  set: 'it takes only `set`',
  trigger: 'it takes `at` or `delay`',
  parallel: 'its tasks see `input` and `vars`',
  'for-each': 'its tasks see `item` and `index`',
  workflow: 'the child is given `input`',
  interval: 'its `run` takes what that task takes',
  signal: 'it takes none',
  http: 'it takes `url`, `method`, `headers` and `body`',
  fail: 'it takes `reason` and `code`',
  stop: 'it takes `reason`',
}
const whyNoTimeout: { readonly [type: string]: string } = {
  'kafka-command': 'it ends with the commit of its record',
  process: 'it takes `maxDuration`',
  parallel: 'it takes `maxDuration`',
  'for-each': 'it takes `maxDuration`',
  interval: 'it takes `deadline`',
  fail: 'it ends at once',
  stop: 'it ends at once',
  decision: 'it ends at once',
  set: 'it ends at once',
  trigger: 'its end is what `at` or `delay` says',
}

/** Why a key that other tasks have makes no sense on this type; undefined where that is not the case. */
function reasonNotHere(key: string, type: string): string | undefined {
  if (key === 'with' && inputOf[type] !== undefined)
    return `\`with\` is the input of handlers; a ${type} task has none: ${inputOf[type]}`
  if (key === 'timeout' && whyNoTimeout[type] !== undefined)
    return `a ${type} task has no \`timeout\`: ${whyNoTimeout[type]}`
  return undefined
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (isList(value)) return 'a list'
  if (isObject(value)) return 'an object'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
