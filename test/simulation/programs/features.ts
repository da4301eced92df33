// What a workflow's document uses of the language, by name: "kafka-listener.where", "onFailure: skip". What there is to
// use is read from the schema, so that a task type or a key that the language learns is asked of the generator at once.
import { readFileSync } from 'node:fs'
import type { Json } from '../../../src/base/json.ts'
import { builtInTypes } from '../../../src/definition/structure.ts'

interface Schema {
  readonly properties: { readonly [key: string]: { readonly enum?: readonly string[] } }
  readonly definitions: { readonly [name: string]: Schema & { readonly enum?: readonly string[] } }
}

/**
 * For people, with one value only, of the bytes of records (`topics`), which are JSON here, or drawn for the application as
 * a whole (`updates`).
 */
const exempt = ['$schema', 'description', 'version', 'name', 'type', 'match', 'onExpired', 'topics', 'updates']

const file = new URL('../../../schemas/workflow.schema.json', import.meta.url)
const schema = JSON.parse(readFileSync(file, 'utf8')) as Schema

/** Every feature that the schema knows. */
export function knownFeatures(): readonly string[] {
  const features = keysOf(schema).map((key) => `workflow.${key}`)
  for (const value of schema.properties['onRunning']?.enum ?? []) features.push(`onRunning: ${value}`)
  for (const value of schema.properties['onClosed']?.enum ?? []) features.push(`onClosed: ${value}`)
  for (const value of schema.definitions['onFailure']?.enum ?? []) features.push(`onFailure: ${value}`)
  for (const start of ['recordStart', 'scheduleStart'])
    features.push(...keysOf(schema.definitions[start]!).map((key) => `start.${key}`))
  for (const [name, definition] of Object.entries(schema.definitions)) {
    if (!name.endsWith('-task')) continue
    const type = name.slice(0, -'-task'.length)
    features.push(type, ...keysOf(definition).map((key) => `${type}.${key}`))
  }
  return [...new Set(features)].sort()
}

const keysOf = ({ properties }: Schema): string[] => Object.keys(properties).filter((key) => !exempt.includes(key))

interface Document {
  readonly [key: string]: Json
}

/** The features of one document. */
export function featuresOf(document: Document): ReadonlySet<string> {
  const found = new Set(Object.keys(document).map((key) => `workflow.${key}`))
  addValue(document, 'onRunning', found)
  addValue(document, 'onClosed', found)
  for (const start of listOf(document['start'])) for (const key of Object.keys(start)) found.add(`start.${key}`)
  addTasks(listOf(document['tasks']), found)
  addMonitor(document, found)
  return found
}

const builtIn: readonly string[] = builtInTypes

function addTasks(tasks: readonly Document[], found: Set<string>): void {
  for (const task of tasks) {
    const name = task['type']
    const type = typeof name === 'string' && builtIn.includes(name) ? name : 'handler'
    found.add(type)
    for (const key of Object.keys(task)) found.add(`${type}.${key}`)
    addValue(task, 'onFailure', found)
    addTasks(listOf(task['tasks']), found)
    for (const branch of listsOf(task['branches'])) addTasks(branch, found)
    addTasks(objectsOf(task['run'], task['compensate']), found)
    addMonitor(task, found)
  }
}

function addMonitor(document: Document, found: Set<string>): void {
  for (const monitor of objectsOf(document['monitor'])) addTasks(objectsOf(monitor['then']), found)
}

function addValue(document: Document, key: string, found: Set<string>): void {
  const value = document[key]
  if (typeof value === 'string') found.add(`${key}: ${value}`)
}

const listOf = (value: Json | undefined): readonly Document[] => (Array.isArray(value) ? (value as Document[]) : [])
const listsOf = (value: Json | undefined): readonly (readonly Document[])[] =>
  Array.isArray(value) ? (value as Document[][]) : []
const objectsOf = (...values: readonly (Json | undefined)[]): readonly Document[] =>
  values.filter((value) => value !== undefined) as readonly Document[]
