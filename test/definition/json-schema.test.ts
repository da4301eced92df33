import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { builtInTypes } from '../../src/definition/structure.ts'

type Node = { readonly [key: string]: unknown }
const schema: Node = JSON.parse(readFileSync(new URL('../../schemas/workflow.schema.json', import.meta.url), 'utf8'))
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)

function resolve(node: Node): Node {
  const reference = node['$ref']
  if (typeof reference !== 'string') return node
  let at: unknown = schema
  for (const step of reference.split('/').slice(1)) at = isNode(at) ? at[step] : undefined
  assert.ok(isNode(at), reference)
  return at
}

/** Every key that the schema knows, with its schema, and every object that lists keys. */
function walk(node: unknown, path: string, keys: Map<string, Node>, objects: Map<string, Node>): void {
  if (Array.isArray(node)) node.forEach((item, index) => walk(item, `${path}[${index}]`, keys, objects))
  if (!isNode(node)) return
  const properties = node['properties']
  // The condition of an `if` only asks; `task` only tells the types apart.
  if (isNode(properties) && !path.endsWith('.if')) {
    objects.set(path, node)
    for (const [key, value] of Object.entries(properties)) if (isNode(value)) keys.set(`${path}.${key}`, resolve(value))
  }
  for (const [key, value] of Object.entries(node)) if (key !== 'examples') walk(value, `${path}.${key}`, keys, objects)
}

const keys = new Map<string, Node>()
const objects = new Map<string, Node>()
walk(schema, '$', keys, objects)

test('every key of the schema says what it is for and shows examples that fit', () => {
  assert.ok(keys.size > 60)
  const ajv = new Ajv({ strict: false }).addSchema(schema, 'workflow')
  for (const [path, node] of keys) {
    assert.ok(typeof node['description'] === 'string' && node['description'].length > 10, path)
    const examples = node['examples']
    assert.ok(Array.isArray(examples) && examples.length > 0, path)
    const validate = ajv.compile({ ...node, definitions: schema['definitions'] })
    for (const example of examples) assert.ok(validate(example), `${path}: ${JSON.stringify(example)}`)
  }
})

test('every object is strict but for keys that start with x-', () => {
  for (const [path, node] of objects) {
    if (path === '$.definitions.task' || path === '$.definitions.leaf' || path.startsWith('$.definitions.typed'))
      continue
    assert.equal(node['additionalProperties'], false, path)
    assert.deepEqual(node['patternProperties'], { '^x-': true }, path)
  }
})

test('the schema has a branch for every built-in type', () => {
  const definitions = schema['definitions']
  assert.ok(isNode(definitions))
  for (const type of builtInTypes) assert.ok(isNode(definitions[`${type}-task`]), type)
  const validate = new Ajv({ strict: false }).compile(schema)
  assert.equal(validate({ workflow: 'w', tasks: [{ name: 'a', type: 'billing/charge' }] }), true)
})
