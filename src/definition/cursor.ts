import type { Json } from '../base/json.ts'

/** Where something is in a document: keys and list indexes from the root. */
export type Path = readonly (string | number)[]

/** "tasks[2].dependsOn[0]"; the root is "". */
export function pathText(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(step)}]`
  }
  return text
}

/**
 * A value of a document together with its path. Reading is tolerant: what is absent or of another type reads as
 * undefined or empty. The schema has reported it already, and the checks after it still see the rest.
 */
export class Cursor {
  readonly value: Json | undefined
  readonly path: Path

  constructor(value: Json | undefined, path: Path = []) {
    this.value = value
    this.path = path
  }

  get isGiven(): boolean {
    return this.value !== undefined
  }

  get text(): string | undefined {
    return typeof this.value === 'string' ? this.value : undefined
  }

  get number(): number | undefined {
    return typeof this.value === 'number' ? this.value : undefined
  }

  /** The value of a key, by own properties only. */
  at(key: string): Cursor {
    const found = isObject(this.value) && Object.hasOwn(this.value, key) ? this.value[key] : undefined
    return new Cursor(found, [...this.path, key])
  }

  get items(): readonly Cursor[] {
    return isList(this.value) ? this.value.map((item, index) => new Cursor(item, [...this.path, index])) : []
  }

  /** The items that are texts. */
  get texts(): readonly string[] {
    return this.items.flatMap((item) => item.text ?? [])
  }

  get entries(): readonly (readonly [key: string, value: Cursor])[] {
    return isObject(this.value) ? Object.keys(this.value).map((key) => [key, this.at(key)] as const) : []
  }
}

/** True for a JSON object: no list, not null. */
export function isObject(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Array.isArray for read-only JSON. */
export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value)
}
