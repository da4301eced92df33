// What is wrong with topics and their formats: names that nothing uses, values that no record of the topic can hold, fields
// of what has none.
import type { Compiler } from './compiler.ts'
import type { Draft } from './build.ts'
import type { Cursor, Path } from './cursor.ts'
import type { ExpectedValue } from './fitting.ts'
import { nearest } from './nearest.ts'
import type { Report } from './report.ts'
import { defaultFormat, expectedKey, expectedValue, isRegistered, type TopicFormat } from './topic-format.ts'
import type { KafkaCommandTask, Workflow } from './workflow.ts'

const topicName = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/

/** Reports what is wrong with the topics of a workflow. */
export function checkTopics({ workflow, root, written }: Draft, compiler: Compiler, report: Report): void {
  const used = new Set<string>()
  const formatOf = (topic: string): TopicFormat => workflow.formats.get(topic) ?? defaultFormat
  const checkReading = (topic: string, path: Path): void => {
    used.add(topic)
    checkFields(topic, formatOf(topic), path, compiler, report)
  }
  for (const { place, topic } of workflow.start) checkReading(topic, ['start', place])
  let isAnyUsed = false
  for (const task of workflow.tasks) {
    const at = written.get(task)!
    if (task.type === 'kafka-listener') checkReading(task.topic, at.path)
    if (task.type !== 'kafka-command') continue
    const topic = checkCommand(task, at, report)
    if (topic === undefined) isAnyUsed = true
    else {
      used.add(topic)
      checkProduced(topic, formatOf(topic), at, report)
    }
  }
  if (!isAnyUsed) checkUnused(workflow, used, root.at('topics'), report)
}

/** The topic of a command; undefined where only its instances know. */
function checkCommand(task: KafkaCommandTask, at: Cursor, report: Report): string | undefined {
  const topic: unknown = task.topic.isConstant ? task.topic.evaluate({}) : undefined
  if (typeof topic !== 'string') return undefined
  if (!topicName.test(topic))
    report.add('DW_SCHEMA', at.at('topic').path, `expected the name of a topic, found ${JSON.stringify(topic)}`)
  return topic
}

function checkProduced(topic: string, format: TopicFormat, at: Cursor, report: Report): void {
  const hold = (given: Cursor, expected: ExpectedValue | undefined, what: string): void => {
    if (given.value === undefined) return
    for (const { path, message, ...where } of expected?.misfits(given.value) ?? [])
      report.add('DW_TOPIC_FORMAT', [...given.path, ...path], `${what} of \`${topic}\` ${message}`, where)
  }
  hold(at.at('value'), expectedValue(format), `a value in the format ${format.value}`)
  hold(at.at('key'), expectedKey(format), `a key in the format ${format.key}`)
}

/** A text has no fields: whoever names one took the record for JSON. */
function checkFields(topic: string, format: TopicFormat, path: Path, compiler: Compiler, report: Report): void {
  for (const { name, path: at } of compiler.sightings) {
    const { root, field, subfield, offset } = name
    if (root !== 'message' || subfield === undefined || !path.every((step, index) => at[index] === step)) continue
    if (field !== 'value' && field !== 'key') continue
    const what = format[field]
    if (what === 'json' || isRegistered(what)) continue
    const key = field === 'value' ? 'format' : 'keyFormat'
    const message = `\`message.${field}\` of \`${topic}\` is a text (its \`${key}\` is ${what}): it has no field \`${subfield}\``
    report.add('DW_TOPIC_FORMAT', at, message, { offset })
  }
}

function checkUnused(workflow: Workflow, used: ReadonlySet<string>, topics: Cursor, report: Report): void {
  for (const topic of workflow.formats.keys()) {
    if (used.has(topic)) continue
    const message = `no start, listener or command of this workflow uses the topic \`${topic}\``
    report.add('DW_UNKNOWN_TOPIC', topics.at(topic).path, message, { atKey: true, suggestion: nearest(topic, used) })
  }
}
