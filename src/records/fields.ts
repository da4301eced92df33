// Fields of a value, read by kind. Bytes that decode are not yet what was written: a field of another kind is damage.
import { StoreCorrupted } from '../base/errors.ts'

type Field<Kind> = (field: unknown) => Kind

function field<Kind>(is: (field: unknown) => field is Kind): Field<Kind> {
  return (value) => {
    if (is(value)) return value
    throw new StoreCorrupted('a value has a field of another kind')
  }
}

export const text: Field<string> = field((value) => typeof value === 'string')
export const number: Field<number> = field((value) => typeof value === 'number')
export const flag: Field<boolean> = field((value) => typeof value === 'boolean')
export const bytes: Field<Uint8Array> = field((value) => value instanceof Uint8Array)
export const list: Field<readonly unknown[]> = field((value) => Array.isArray(value))

/** Null, and what an older release did not write, are undefined. */
export const optional =
  <Kind>(read: Field<Kind>): Field<Kind | undefined> =>
  (value) =>
    value === null || value === undefined ? undefined : read(value)

export const texts: Field<readonly string[]> = (value) => list(value).map(text)
