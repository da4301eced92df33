import type { Json } from '../../base/json.ts'
import type { RegisteredFormat } from '../../definition/topic-format.ts'

/** What one schema says of bytes. */
export interface Codec {
  readonly format: RegisteredFormat
  /** As JSON can say it. @throws Error The bytes are not of the schema. */
  read(bytes: Buffer): unknown
  /** @throws Error The value does not fit. */
  write(value: Json): Uint8Array
}

/** A schema as the registry has it, with those that it refers to, each before what refers to it. */
export interface SchemaText {
  readonly type: string
  readonly text: string
  readonly references: readonly { readonly name: string; readonly text: string }[]
}
