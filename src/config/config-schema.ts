// schemas/config.schema.json, compiled once, and what a violation of it says to a person.
import { readFileSync } from 'node:fs'
import { Ajv, type ErrorObject } from 'ajv'
import type { Json } from '../base/json.ts'
import type { Path } from '../definition/cursor.ts'
import { nearest } from '../definition/nearest.ts'
import { pathOf } from '../definition/schema.ts'

interface KeySchema {
  readonly type: string
  readonly enum?: readonly string[]
  readonly default?: Json
  readonly examples: readonly Json[]
}

/** One thing that is wrong with a layer. */
export interface ConfigFinding {
  readonly code: 'DW_CONFIG' | 'DW_CONFIG_UNKNOWN'
  /** Without the name of the key, whose name differs from layer to layer. */
  readonly message: string
  readonly at: Path
  /** The key is wrong, not its value. */
  readonly atKey: boolean
  readonly suggestion: string | undefined
}

const schema: { readonly properties: { readonly [key: string]: KeySchema } } = JSON.parse(
  readFileSync(new URL('../../schemas/config.schema.json', import.meta.url), 'utf8'),
)
const { $schema: _, ...properties } = schema.properties
const validate = new Ajv({ allErrors: true, verbose: true }).compile(schema)

export const configKeys: readonly string[] = Object.keys(properties)

/** The keys whose values are paths. */
export const pathKeys: ReadonlySet<string> = new Set([
  ...['workflows', 'handlers', 'secrets', 'data'],
  ...configKeys.filter((key) => key.endsWith('File')),
])

/** What a key has when no layer sets it. */
export const configDefaults: { readonly [key: string]: Json } = Object.fromEntries(
  Object.entries(properties).flatMap(([key, property]) =>
    property.default === undefined ? [] : [[key, property.default]],
  ),
)

/** The JSON Schema type of a key: "integer", "boolean", "object" or "string". */
export function configType(key: string): string | undefined {
  return Object.hasOwn(properties, key) ? properties[key]!.type : undefined
}

/** What may be written for a key; absent where there is no list of it, or no such key. */
export function configChoices(key: string): readonly string[] | undefined {
  const { type, enum: choices } = Object.hasOwn(properties, key) ? properties[key]! : {}
  return type === 'boolean' ? ['true', 'false'] : choices
}

/** Everything that is wrong with the values of one layer; keys may be absent. */
export function checkConfig(values: Json): readonly ConfigFinding[] {
  validate(values)
  return (validate.errors ?? [])
    .filter(({ keyword }) => keyword !== 'propertyNames')
    .map((error) => finding(error, values))
}

function finding(error: ErrorObject, values: Json): ConfigFinding {
  const at = pathOf(error.instancePath, values)
  if (error.keyword === 'additionalProperties') {
    const key: string = error.params['additionalProperty']
    const known = Object.keys(Object(error.parentSchema)['properties'])
    const suggestion = nearest(key, known)
    const message = `${key} is no key of the configuration: expected ${oneOf(known)}.`
    return { code: 'DW_CONFIG_UNKNOWN', message, at: [...at, key], atKey: true, suggestion }
  }
  if (error.propertyName !== undefined) {
    const message = `${error.propertyName} cannot be a topic's name: expected letters, digits, ".", "_" and "-".`
    return { code: 'DW_CONFIG', message, at: [...at, error.propertyName], atKey: true, suggestion: undefined }
  }
  const choices: readonly string[] = error.keyword === 'enum' ? error.params['allowedValues'] : []
  const suggestion = typeof error.data === 'string' ? nearest(error.data, choices) : undefined
  return { code: 'DW_CONFIG', message: valueMessage(error, choices), at, atKey: false, suggestion }
}

function valueMessage(error: ErrorObject, choices: readonly string[]): string {
  const { title, description, examples } = Object(error.parentSchema)
  const expected = choices.length > 0 ? oneOf(choices) : (title ?? error.message)
  const example = Array.isArray(examples) ? ` For example ${JSON.stringify(examples[0])}.` : ''
  return `Expected ${expected}, found ${JSON.stringify(error.data)}.${example}${description === undefined ? '' : `\n${description}`}`
}

function oneOf(names: readonly string[]): string {
  return names.length === 1 ? names[0]! : `one of ${names.join(', ')}`
}
