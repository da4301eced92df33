// JSON Schema: the bytes are JSON already; the schema is held against them, in both directions.
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { Json } from '../../base/json.ts'
import { linearRegExp } from '../../definition/schema.ts'
import type { Codec, SchemaText } from './codec.ts'

/** Schemas of others have keywords of their own. */
const options = {
  code: { regExp: linearRegExp },
  allErrors: true,
  strict: false,
  validateFormats: false,
  logger: false,
} as const
const strict = new TextDecoder('utf-8', { fatal: true })

/** @throws Error It is no schema, or one of a draft before 6. */
export function jsonSchemaCodec({ text, references }: SchemaText): Codec {
  const schema = JSON.parse(text) as { readonly $schema?: unknown }
  const dialect = typeof schema.$schema === 'string' ? schema.$schema : 'draft-07'
  const isOld = /draft-0[67]/.test(dialect)
  if (!isOld && dialect.includes('draft-0')) throw new Error(`the schema is of ${dialect}: expected draft 6 or later`)
  const ajv = isOld ? new Ajv(options) : new Ajv2020(options)
  for (const { name, text: referred } of references) ajv.addSchema(withoutDialect(JSON.parse(referred)), name)
  const validate = ajv.compile(withoutDialect(schema))
  const check = (value: unknown): void => {
    if (!validate(value)) throw new Error(ajv.errorsText(validate.errors, { dataVar: '' }))
  }
  return {
    format: 'json-schema',
    read(bytes) {
      const value = JSON.parse(strict.decode(bytes)) as Json
      check(value)
      return value
    },
    write(value) {
      check(value)
      return Buffer.from(JSON.stringify(value))
    },
  }
}

/** Which compiler it is for is decided; a dialect of another name for the same would be looked for. */
const withoutDialect = (schema: { readonly $schema?: unknown }): object => {
  const { $schema: _, ...others } = schema
  return others
}
