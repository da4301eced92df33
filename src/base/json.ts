/** What JSON can say. Objects from strangers are read by own properties only. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * Any value as JSON text; undefined where there is no such thing. JSON.stringify leaves functions and symbols out
 * without a word; that would lose data silently.
 * @throws {TypeError} It holds what JSON cannot hold. Whatever its own `toJSON` throws.
 */
export function writeJson(value: unknown): string | undefined {
  return JSON.stringify(value, refuseCode)
}

function refuseCode(key: string, value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new TypeError(`${key === '' ? 'the value' : `'${key}'`} is a ${typeof value}`)
  }
  return value
}
