// A record of a source topic, on the partition that owns its source partition: who wants it? Its own decisions follow
// at once, those of other partitions go to their inboxes in the same transaction.
//
// R1. A record that nobody can use because it cannot be read, or because every use of it failed, goes to the
//     dead-letter topic once, with all the reasons. A start that failed is always told.
// R2. A record is offered to a workflow once for each distinct correlation value its listeners find in it.
// R3. A record that was redriven is offered to those that could not use it before: the others would do again what they did.
//     Where none of them reads its topic any more, they were renamed or replaced, and all are asked.
import { partitionOfText } from '../../base/partitioner.ts'
import { limits } from '../../base/limits.ts'
import type { RecordTrigger } from '../../definition/workflow.ts'
import { taskErrorOf } from '../attempt.ts'
import { canonicalText } from '../correlation.ts'
import { formatOf } from '../format.ts'
import { coordinates, messageOf, type MessageRoot, type SourceRecord } from '../message.ts'
import { accept, type Decider, type Outcome } from '../outcome.ts'
import type { ListenerGroup, Start, World } from '../world.ts'

const decoder = new TextDecoder()

interface Failure {
  readonly code: string
  readonly message: string
  readonly workflow: string
}

export const routeRecord: Decider<'record.route'> = ({ record }, _state, world) => {
  const out = accept()
  const unreadable = reasonsAgainst(record, world)
  if (unreadable !== undefined) return deadLetter(record, unreadable, out)
  const startFailures: Failure[] = []
  const { starts, groups } = readersOf(record, world)
  for (const start of starts) {
    const failure = routeStart(start, record, world, out)
    if (failure !== undefined) startFailures.push(failure)
  }
  const listenerFailures: Failure[] = []
  for (const group of groups) {
    listenerFailures.push(...routeToListeners(group, record, world, out))
  }
  const isUsed = out.followUps.length > 0 || out.outgoing.length > 0
  const failures = isUsed ? startFailures : [...startFailures, ...listenerFailures]
  if (failures.length > 0) return deadLetter(record, failures, out)
  return isUsed ? out : out.event({ type: 'record.unmatched' })
}

/** Who is offered a record. R3 */
export function readersOf({ topic, headers }: SourceRecord, { catalogue }: Pick<World, 'catalogue'>) {
  const starts = catalogue.startsOn(topic)
  const groups = catalogue.listenersOn(topic)
  const header = headers.findLast(({ key }) => key === 'dw-redriven-for')
  if (header === undefined) return { starts, groups }
  const named = decoder.decode(header.value).split(',')
  const theirs = {
    starts: starts.filter(({ workflow }) => named.includes(workflow.name)),
    groups: groups.filter(({ workflow }) => named.includes(workflow)),
  }
  return theirs.starts.length + theirs.groups.length > 0 ? theirs : { starts, groups }
}

/** Why nobody can read it, by any format in which the topic is read; undefined: somebody can. R1 */
function reasonsAgainst(record: SourceRecord, world: World): readonly Failure[] | undefined {
  const reasons: Failure[] = []
  for (const format of world.catalogue.formatsOn(record.topic)) {
    try {
      messageOf(record, format)
      return undefined
    } catch (error) {
      const { code, message } = taskErrorOf(error)
      reasons.push(failure('', code, message))
    }
  }
  return reasons
}

function routeStart(
  { workflow, trigger }: Start,
  record: SourceRecord,
  world: World,
  out: Outcome,
): Failure | undefined {
  try {
    const message = messageOf(record, formatOf(workflow, record.topic))
    if (trigger.when !== undefined) {
      const wanted = trigger.when.evaluate({ message, now: message.timestamp })
      if (wanted === false) return undefined
      if (wanted !== true)
        return failure(workflow.name, 'expression', `when: must give true or false, found ${JSON.stringify(wanted)}`)
    }
    const key = startKeyOf(trigger, record, message)
    if (key === undefined || key === '')
      return failure(workflow.name, 'key-invalid', 'key: expected a text that is not empty, or a whole number')
    if (key.length > limits.keyLengthMax)
      return failure(workflow.name, 'key-invalid', `key: longer than ${limits.keyLengthMax} characters`)
    out.send(world, partitionOfText(key, world.partitions), {
      type: 'instance.start',
      workflow: workflow.name,
      version: workflow.version,
      key,
      origin: { kind: 'record', record, trigger: trigger.index },
    })
    return undefined
  } catch (error) {
    const { code, message } = taskErrorOf(error)
    return failure(workflow.name, code, `start: ${message}`)
  }
}

/** The key of what a record starts; undefined or empty: it gives none. @throws {ExpressionError} */
export function startKeyOf(trigger: RecordTrigger, record: SourceRecord, message: MessageRoot): string | undefined {
  if (trigger.key !== undefined) return canonicalText(trigger.key.evaluate({ message, now: message.timestamp }))
  return message.key === null || message.key === '' ? coordinates(record) : canonicalText(message.key)
}

function routeToListeners(group: ListenerGroup, record: SourceRecord, world: World, out: Outcome): Failure[] {
  const failures: Failure[] = []
  const values = new Set<string>()
  for (const { format, expression } of group.routes) {
    try {
      const found = expression.evaluate({ message: messageOf(record, format) })
      const value = canonicalText(found)
      if (value !== undefined && value.length <= limits.keyLengthMax) values.add(value)
      else
        failures.push(
          failure(
            group.workflow,
            'correlation-value',
            `correlate: ${expression.source} must give a short text or a whole number`,
          ),
        )
    } catch (error) {
      const { code, message } = taskErrorOf(error)
      failures.push(failure(group.workflow, code, `correlate: ${message}`))
    }
  }
  for (const value of values) {
    const { workflow, keepMs, onExpired } = group
    out.send(world, partitionOfText(value, world.partitions), {
      type: 'channel.publish',
      workflow,
      value,
      record,
      keepMs,
      onExpired,
    })
  }
  return failures
}

const failure = (workflow: string, code: string, message: string): Failure => ({ workflow, code, message })

/** R1 */
function deadLetter(record: SourceRecord, failures: readonly Failure[], out: Outcome): Outcome {
  const [first] = failures
  if (first === undefined) return out
  const message = failures
    .map((each) => (each.workflow === '' ? each.message : `${each.workflow}: ${each.message}`))
    .join('\n')
  return out.event({ type: 'record.dead-lettered', code: first.code }).produce({
    type: 'dead-letter',
    record,
    code: first.code,
    message,
    workflows: [...new Set(failures.flatMap((each) => (each.workflow === '' ? [] : [each.workflow])))],
  })
}
