// Tasks that wait for records: for the answer to a command, or for what somebody says.
import { maybe, type Keys } from './bounds.ts'
import { common } from './common.ts'
import type { Draft, TaskDocument } from './draft.ts'

const replyTopics = ['payment-events', 'shipping-events'] as const
export const commandTopics = ['payment-commands', 'shipping-commands'] as const

/** A command and the wait for its answer: services answer each command that asks for it (outside.ts). */
export function question(draft: Draft): readonly [TaskDocument, TaskDocument] {
  const { random, routes } = draft
  const asking = draft.name('kafka-command')
  const topic = random.pick(replyTopics)
  // A wait with no end needs an answer that nobody else takes and that does not expire.
  const isPatient = !routes.areShared && random.chance(0.5)
  const command = {
    name: asking,
    type: 'kafka-command',
    topic: random.pick(commandTopics),
    value: { ...draft.commandOf(asking), answer: topic, isOptional: !isPatient },
  }
  const own = { message: 'message.value.task', instance: draft.isInItem ? `'${asking} ' + item` : `'${asking}'` }
  const correlate = routes.areShared ? routes.reply : [routes.reply, own]
  const where = random.pick(["message.value.kind == 'shipped'", "message.value.status == 'paid'"])
  const name = draft.name('kafka-listener')
  const task = {
    ...{ name, type: 'kafka-listener', topic, from: 'earliest', correlate },
    ...maybe(random, 0.5, 'where', where),
  }
  if (isPatient) return [command, { ...task, keep: '1d', set: { note: '${ message.value.reply }' } }]
  return [
    { ...command, ...common(draft, asking) },
    { ...task, ...impatience(draft, name) },
  ]
}

/** Waits for what customers say, which may be nothing. */
export function stranger(draft: Draft): TaskDocument {
  const { random, routes } = draft
  const name = draft.name('kafka-listener')
  const task = {
    ...{ name, type: 'kafka-listener', topic: 'answers', from: 'earliest' },
    correlate: routes.answer,
    ...maybe(random, 0.3, 'where', "message.value.tone != 'rude'"),
  }
  const patience = impatience(draft, name)
  // A stream of its own: whether it is ahead shifts nothing else.
  const isAhead = !draft.isInItem && patience['until'] === undefined && random.stream(`ahead ${name}`).chance(0.3)
  return { ...task, ...patience, ...(isAhead ? { skipAhead: true } : {}) }
}

function impatience(draft: Draft, name: string): Keys {
  const { random } = draft
  const note = { note: random.pick(['${ message.value.reply }', '${ output.reply }']) }
  // It tells of each record that it takes: the history tells of the last one only.
  const heard = { heard: `\${ vars.heard + ['${name} ' + ${placeOfMessage}] }` }
  const until = random.chance(0.1)
    ? 'output.missing'
    : random.pick(['size(vars.heard) > 1', "message.value.kind == 'shipped'", 'false'])
  return {
    keep: random.pick(['0s', '2s', '5s', '1h', '1d']),
    timeout: random.pick(['2s', '5s', '10s']),
    ...common(draft, name, { fails: true, set: note }),
    // Asks again at once: what is on its way to the wait before meets the next one.
    ...maybe(random, 0.4, 'retry', { maxAttempts: 3, initialInterval: '20ms' }),
    ...(random.chance(0.25) ? { set: heard, until } : {}),
  }
}

const placeOfMessage = "message.topic + '/' + string(message.partition) + '@' + string(message.offset)"
