// The published schemas of updates, and holding updates against them: more strictly than they say, since they let members
// be added and what we add has to be described.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import addFormatsModule from 'ajv-formats'
import type { Update } from '../../src/records/update.ts'

const read = (name: string): { readonly $id: string; readonly properties: object } =>
  JSON.parse(readFileSync(new URL(`../../schemas/updates/${name}.schema.json`, import.meta.url), 'utf8'))

const update = read('update')
const data = new Map(['instance', 'task', 'vars'].map((name) => [read(name).$id, read(name)]))
const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false })
addFormatsModule.default(ajv)
for (const schema of data.values()) ajv.addSchema(schema)
const validate = ajv.compile(update)

/** What is wrong with an update, in words; empty where it is as published. */
export function violationsOf(told: Update): readonly string[] {
  const found = validate(told) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`)
  const described = new Set(Object.keys(data.get(told.dataschema)?.properties ?? {}))
  const undescribed = [
    ...Object.keys(told).filter((name) => !Object.hasOwn(update.properties, name)),
    ...Object.keys(told.data).filter((name) => !described.has(name)),
  ]
  return [...found, ...undescribed.map((name) => `${name} is not described`)]
}

/** @throws {AssertionError} It is not as published. */
export function assertPublished(told: Update): void {
  assert.deepEqual(violationsOf(told), [], JSON.stringify(told))
}
