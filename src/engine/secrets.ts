// Secrets in what is given to the outside world. An expression never sees one: in its place stands a mark that nobody can
// guess, as it is drawn when the expression is evaluated, after all data has come. What is kept is *sealed*: each mark as
// the expression that it stands for, and every other '$' of the texts doubled, so that no data can pass for a secret.
//
//   "Bearer ${ secrets.TOKEN }"   evaluated: "Bearer <mark>"   kept: "Bearer ${ secrets.TOKEN }"   sent: "Bearer hunter2"
//   "5 $" from a record           evaluated: "5 $"             kept: "5 $$"                        sent: "5 $"
//
// Only what the runtime sends is opened (runtime/disclosure.ts), and only of a task that names secrets at all.
import type { Json } from '../base/json.ts'
import type { Task } from '../definition/workflow.ts'

/** True where what is kept of the task's input is sealed. */
export const hasSecrets = (task: Task): boolean => (task.type === 'handler' || task.type === 'http') && task.hasSecrets

/** What `secrets.NAME` gives while it is not known, by name. */
export const marksOf = (names: readonly string[], nonce: string): { readonly [name: string]: string } =>
  Object.fromEntries(names.map((name) => [name, markOf(name, nonce)]))

const markOf = (name: string, nonce: string): string => `<${nonce}:${name}>`

/** Seals what was evaluated with marks of this nonce; with none, what has no secrets in it. */
export function seal(value: Json, nonce?: string): Json {
  const marks = nonce === undefined ? undefined : new RegExp(markOf('([A-Za-z_][A-Za-z0-9_]*)', nonce), 'g')
  return mapTexts(value, (text) => {
    const doubled = text.replaceAll('$', '$$$$')
    return marks === undefined ? doubled : doubled.replace(marks, (_, name: string) => `\${ secrets.${name} }`)
  })
}

const sealed = /\$(?:\$|\{ secrets\.([A-Za-z_][A-Za-z0-9_]*) \})/g

/** Opens what was sealed. @throws What `find` throws. */
export function unseal(value: Json, find: (name: string) => string): Json {
  return mapTexts(value, (text) => text.replace(sealed, (_, name?: string) => (name === undefined ? '$' : find(name))))
}

/** What takes the place of a secret for everyone else. */
export const masked = '***'

/** The same value with each of its texts rewritten, keys left as they are. */
function mapTexts(value: Json, rewrite: (text: string) => string): Json {
  if (typeof value === 'string') return rewrite(value)
  if (Array.isArray(value)) return value.map((each: Json) => mapTexts(each, rewrite))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapTexts(each, rewrite)]))
}
