// Search attributes follow the instance: they are evaluated when it starts, and again when what they name has changed,
// once an input. One that fails or is no short plain value is absent, and harms nothing.
import { limits } from '../base/limits.ts'
import { utf8 } from '../base/utf8.ts'
import { ExpressionError, type Expression } from '../definition/expression.ts'
import type { AttributeValue, Changed } from './attribute-row.ts'
import type { Event, EventType } from './event.ts'
import { rootsFor, type Outlook } from './roots.ts'
import type { State } from './state.ts'
import type { Catalogue } from './world.ts'

const changing = new Map<EventType, Changed>([
  ['instance.started', 'start'],
  ['vars.set', 'vars'],
  ['task.submitted', 'tasks'],
  ['task.executing', 'tasks'],
  ['task.retry-scheduled', 'tasks'],
  ['task.completed', 'tasks'],
  ['task.failed', 'tasks'],
  ['task.skipped', 'tasks'],
  ['task.stopped', 'tasks'],
  ['task.stopping', 'tasks'],
  ['scope.reopened', 'tasks'],
])

/** Instances whose attributes may have changed, by id, with what has. */
export type StaleAttributes = Map<string, Set<Changed>>

/** Notes an event that was applied. */
export function noteStale(
  event: Event,
  state: State,
  catalogue: Pick<Catalogue, 'find'>,
  stale: StaleAttributes | undefined,
): StaleAttributes | undefined {
  const what = changing.get(event.type)
  if (what === undefined) return stale
  const id = 'row' in event && 'id' in event.row ? event.row.id : 'instanceId' in event ? event.instanceId : ''
  const instance = state.instances.find(id)
  const workflow = instance === undefined ? undefined : catalogue.find(instance.version)
  if (workflow === undefined || workflow.attributes.size === 0) return stale
  const noted = stale ?? new Map<string, Set<Changed>>()
  const changed = noted.get(id)
  if (changed === undefined) noted.set(id, new Set([what]))
  else changed.add(what)
  return noted
}

/** The attributes as they are now: those that name nothing of what has changed are as they were. */
export function attributesNow(place: Outlook, changed: ReadonlySet<Changed>): ReadonlyMap<string, AttributeValue> {
  const { instance, workflow } = place
  const values = new Map<string, AttributeValue>()
  for (const [name, expression] of workflow.attributes) {
    const value = isAsked(expression, changed) ? evaluateAttribute(expression, place) : instance.attributes.get(name)
    if (value !== undefined && !(value instanceof Absent)) values.set(name, value)
  }
  return values
}

function isAsked({ uses }: Expression, changed: ReadonlySet<Changed>): boolean {
  if (changed.has('start')) return true
  return (changed.has('vars') && uses.roots.has('vars')) || (changed.has('tasks') && uses.roots.has('tasks'))
}

/** An instance has not the attribute, and why. */
export class Absent {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

/** What an attribute is. */
export function evaluateAttribute(expression: Expression, place: Outlook): AttributeValue | Absent {
  try {
    const value = expression.evaluate(rootsFor(place, expression.uses, place.instance.startedAtMs))
    if (value === null || typeof value === 'object') {
      const found = value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object'
      return new Absent(`expected a text, a number, true or false; found ${found}`)
    }
    if (typeof value !== 'string') return value
    if (!value.isWellFormed()) return new Absent('the text has half a character')
    const { length } = utf8(value)
    return length <= limits.attributeBytesMax
      ? value
      : new Absent(`the text has ${length} bytes; at most ${limits.attributeBytesMax} are indexed`)
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    return new Absent(error.message)
  }
}
