// The JSON Schemas, compiled once. STUB while the room is being built: types are the contract.
import type { Json } from '../base/json.ts'

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
