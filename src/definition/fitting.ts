// Whether a value with `${ … }` in it can fit a JSON Schema, before anything is evaluated.
//
//   F1. What is told is certain: it is wrong whatever the expressions give. What depends on them is passed over.
//
// Constant parts are held against their part of the schema by ajv. Around expressions only keywords are looked at that
// join with "and" and are about what can be seen: types, keys that are missing or too many, lengths of lists.
import type { Json } from '../base/json.ts'
import { isList, isObject } from './cursor.ts'
import type { Path } from './cursor.ts'
import { compileTemplate } from './expression.ts'
import { nearest } from './nearest.ts'
import { compileInputSchema, InputSchemaError, pathOf } from './schema.ts'
import type { InputSchema } from './schema.ts'
import { splitTemplate } from './template.ts'

/** What cannot fit: where in the value, and how. */
export interface Misfit {
  readonly path: Path
  readonly message: string
  /** Point at the key of the path rather than at its value. */
  readonly atKey?: boolean
  readonly suggestion?: string | undefined
}

/** A JSON Schema that values of workflow files are held against. */
export class ExpectedValue {
  readonly #schema: Json
  readonly #whole: InputSchema
  readonly #hasPlainReferences: boolean
  /** Parts of the schema as schemas of their own; undefined: one that stands only in its whole. */
  readonly #parts = new Map<Json, InputSchema | undefined>()

  /** @throws {InputSchemaError} */
  constructor(schema: Json) {
    this.#schema = schema
    this.#whole = compileInputSchema(schema)
    this.#hasPlainReferences = !isObject(schema) || Object.values({ ...schema, $id: null }).every(hasPlainReferences)
  }

  /** Every way in which the value cannot fit. */
  misfits(value: Json): readonly Misfit[] {
    const found: Misfit[] = []
    this.#walk(this.#schema, value, { path: [], seen: new Set(), found })
    return found
  }

  #walk(part: Json, value: Json, at: Walk): void {
    // A schema may refer to itself, by many ways: each part of it is held against a value once.
    if (part === true || at.seen.has(part)) return
    if (part === false) return void at.found.push({ path: at.path, message: 'must not be there' })
    if (!hasExpression(value)) return this.#checkConstant(part, value, at)
    if (!isObject(part)) return
    at.seen.add(part)
    const referred = part['$ref'] === undefined ? undefined : referredBy(part['$ref'], this.#schema)
    if (referred !== undefined) this.#walk(referred, value, at)
    if (isList(part['allOf'])) for (const each of part['allOf']) this.#walk(each, value, at)
    checkType(part['type'], value, at)
    if (isObject(value)) this.#walkObject(part, value, at)
    if (isList(value)) this.#walkList(part, value, at)
  }

  #checkConstant(part: Json, value: Json, { path, found }: Walk): void {
    const written = compileTemplate(value).evaluate({})
    for (const { pointer, message } of this.#asSchema(part)?.validate(written) ?? []) {
      found.push({ path: [...path, ...pathOf(pointer, written)], message })
    }
  }

  #asSchema(part: Json): InputSchema | undefined {
    if (part === this.#schema) return this.#whole
    if (!this.#hasPlainReferences) return undefined
    if (!this.#parts.has(part)) this.#parts.set(part, this.#compile(part))
    return this.#parts.get(part)
  }

  /** A part of the schema with what its references lead to. */
  #compile(part: Json): InputSchema | undefined {
    const whole = this.#schema
    if (!isObject(part) || !isObject(whole)) return compileInputSchema(part)
    const carried = ['$schema', ...definitionKeys].flatMap((key) =>
      whole[key] === undefined ? [] : [[key, whole[key]] as const],
    )
    try {
      return compileInputSchema({ ...part, ...Object.fromEntries(carried) })
    } catch (error) {
      if (error instanceof InputSchemaError) return undefined
      throw error
    }
  }

  #walkObject(part: JsonObject, value: JsonObject, at: Walk): void {
    const { required, additionalProperties } = part
    const { path, found } = at
    const properties = isObject(part['properties']) ? part['properties'] : {}
    const patterns = Object.entries(isObject(part['patternProperties']) ? part['patternProperties'] : {})
    for (const key of isList(required) ? required : []) {
      if (typeof key !== 'string' || Object.hasOwn(value, key)) continue
      found.push({ path, message: `must have required property '${key}'` })
    }
    for (const [key, inner] of Object.entries(value)) {
      const inside = { found, path: [...path, key], seen: new Set<Json>() }
      const matching = patterns.filter(([pattern]) => matches(pattern, key) !== false)
      const isKnown = Object.hasOwn(properties, key)
      for (const [pattern, schema] of matching) if (matches(pattern, key) === true) this.#walk(schema, inner, inside)
      if (isKnown) this.#walk(properties[key]!, inner, inside)
      else if (matching.length === 0 && additionalProperties === false) {
        const message = `must NOT have additional properties (${JSON.stringify(key)})`
        found.push({ path: inside.path, message, atKey: true, suggestion: nearest(key, Object.keys(properties)) })
      } else if (matching.length === 0 && additionalProperties !== undefined) {
        this.#walk(additionalProperties, inner, inside)
      }
    }
  }

  #walkList(part: JsonObject, value: readonly Json[], at: Walk): void {
    const { items, minItems, maxItems } = part
    const { path, found } = at
    // Draft-07 writes a tuple as `items`, and the rest of it as `additionalItems`.
    const tuple = isList(part['prefixItems']) ? part['prefixItems'] : isList(items) ? items : []
    const rest = isList(items) ? part['additionalItems'] : items
    value.forEach((item, index) => {
      const schema = index < tuple.length ? tuple[index] : rest
      if (schema !== undefined) this.#walk(schema, item, { found, path: [...path, index], seen: new Set() })
    })
    if (typeof minItems === 'number' && value.length < minItems)
      found.push({ path, message: `must NOT have fewer than ${minItems} items` })
    if (typeof maxItems === 'number' && value.length > maxItems)
      found.push({ path, message: `must NOT have more than ${maxItems} items` })
  }
}

type JsonObject = { readonly [key: string]: Json }

interface Walk {
  readonly path: Path
  /** Parts of the schema that this value was held against. */
  readonly seen: Set<Json>
  readonly found: Misfit[]
}

function hasExpression(value: Json): boolean {
  if (typeof value === 'string') return splitTemplate(value).some(({ isExpression }) => isExpression)
  if (isList(value)) return value.some(hasExpression)
  return isObject(value) && Object.values(value).some(hasExpression)
}

/** The type is certain of objects and lists that stand there, and of a text around an expression. */
function checkType(type: Json | undefined, value: Json, { path, found }: Walk): void {
  if (type === undefined) return
  const actual = isObject(value) ? 'object' : isList(value) ? 'array' : isTextAround(value) ? 'string' : undefined
  const allowed = isList(type) ? type : [type]
  if (actual !== undefined && !allowed.includes(actual))
    found.push({ path, message: `must be ${allowed.map(String).join(' or ')}` })
}

/** False where it may be one expression alone, which keeps a type of its own. */
function isTextAround(value: Json): boolean {
  return typeof value === 'string' && !/^\s*\$\{/.test(value)
}

/** undefined: the pattern is one of an engine that is not ours. */
function matches(pattern: string, key: string): boolean | undefined {
  try {
    return new RegExp(pattern, 'u').test(key)
  } catch {
    return undefined
  }
}

const definitionKeys = ['$defs', 'definitions'] as const
const plainReference = /^#\/(?:\$defs|definitions)\/[^%]*$/

/** What "#/$defs/address" refers to; undefined where it leads elsewhere or nowhere. */
function referredBy(reference: Json, root: Json): Json | undefined {
  if (typeof reference !== 'string' || !plainReference.test(reference)) return undefined
  let found: Json | undefined = root
  for (const step of pathOf(reference.slice(1), root)) {
    if (isList(found)) found = found[Number(step)]
    else found = isObject(found) && Object.hasOwn(found, step) ? found[String(step)] : undefined
  }
  return found
}

/** False where a reference means the whole, or another document: a part by itself would mean something else. */
function hasPlainReferences(schema: Json): boolean {
  if (isList(schema)) return schema.every(hasPlainReferences)
  if (!isObject(schema)) return true
  return Object.entries(schema).every(([key, value]) => {
    if (key === '$ref') return typeof value === 'string' && plainReference.test(value)
    return !['$dynamicRef', '$id', '$anchor'].includes(key) && hasPlainReferences(value)
  })
}
