// Why a record is not for a listener, told from the record and from what is waited for alone: with no state, so that it can
// be asked of any record at any time. The listener's own rule is `fits` in engine/deciders/channel.ts; here is what it is
// about each time that it says no.
import type { Json } from '../../base/json.ts'
import { nearest } from '../../definition/nearest.ts'
import type { KafkaListenerTask, Workflow } from '../../definition/workflow.ts'
import { taskErrorOf } from '../../engine/attempt.ts'
import { canonicalText } from '../../engine/correlation.ts'
import { formatOf } from '../../engine/format.ts'
import { messageOf, type MessageRoot, type SourceRecord } from '../../engine/message.ts'
import type { MissReason } from '../faces/explain-face.ts'

/** The values that a listener waits for, in the order of its pairs. */
export type Wanted = readonly string[]

export interface Judgement {
  readonly reason: MissReason
  readonly found?: string
  readonly message: string
  /** How near it came: the larger the nearer; 0 is worth no word. */
  readonly nearness: number
}

const fitting: Judgement = { reason: 'fits', message: 'it fits: it is on its way, or was taken', nearness: 8 }
const quotedMax = 200

/** Why this record is not for a listener that waits for these values; `fits` where it is. */
export function judge(task: KafkaListenerTask, workflow: Workflow, wanted: Wanted, record: SourceRecord): Judgement {
  let message: MessageRoot
  try {
    message = messageOf(record, formatOf(workflow, record.topic))
  } catch (error) {
    return { reason: 'unreadable', message: textOf(error), nearness: 1 }
  }
  for (const [index, pair] of task.correlate.entries()) {
    const judged = judgePair(pair.message.source, wanted[index] ?? '', index, () => pair.message.evaluate({ message }))
    if (judged !== undefined) return judged
  }
  const { where } = task
  if (where === undefined) return fitting
  try {
    const value = where.evaluate({ message })
    if (value === true) return fitting
    const found = value === false ? 'false' : `${quoted(value)}, which is not true`
    return {
      reason: 'where-false',
      found: quoted(value),
      message: `where: ${where.source} gives ${found}`,
      nearness: 7,
    }
  } catch (error) {
    return { reason: 'where-failed', message: `where: ${textOf(error)}`, nearness: 7 }
  }
}

function judgePair(source: string, wanted: string, index: number, evaluate: () => Json): Judgement | undefined {
  let value: Json
  try {
    value = evaluate()
  } catch (error) {
    return { reason: 'expression-failed', message: `correlate: ${textOf(error)}`, nearness: index > 0 ? 6 : 1 }
  }
  const found = canonicalText(value)
  if (found === wanted) return undefined
  if (found === undefined) {
    const message = `${source} gives ${quoted(value)}: neither a text nor a whole number`
    return { reason: 'no-value', found: quoted(value), message, nearness: isAsNumber(value, wanted) ? 5 : 1 }
  }
  const hint = difference(found, wanted)
  const message = `${source} gives ${quoted(found)}, and ${quoted(wanted)} is waited for${hint === undefined ? '' : `: ${hint.words}`}`
  if (index > 0) return { reason: 'other-pair-differs', found, message, nearness: 6 }
  return { reason: 'value-differs', found, message, nearness: hint?.nearness ?? 0 }
}

const isAsNumber = (value: Json, wanted: string): boolean =>
  typeof value === 'number' && wanted.trim() !== '' && Number(wanted) === value

/** In what two values differ that a person would take for one; undefined: they are just others. */
function difference(found: string, wanted: string): { readonly words: string; readonly nearness: number } | undefined {
  if (found.trim() === wanted.trim()) return { words: 'they differ in white space', nearness: 5 }
  if (found.toLowerCase() === wanted.toLowerCase()) return { words: 'they differ in case', nearness: 5 }
  if (found.normalize('NFKC') === wanted.normalize('NFKC'))
    return { words: 'they look alike and are other characters', nearness: 5 }
  if (/\d/.test(found) && found.trim() !== '' && wanted.trim() !== '' && Number(found) === Number(wanted))
    return { words: 'one number, written in two ways', nearness: 5 }
  if (found.length > 0 && wanted.length > 0 && (found.includes(wanted) || wanted.includes(found)))
    return { words: 'one is a part of the other', nearness: 4 }
  return nearest(wanted, [found]) === undefined ? undefined : { words: 'they are nearly the same', nearness: 3 }
}

const textOf = (error: unknown): string => taskErrorOf(error).message

/** A value as a person reads it, with an end. */
export function quoted(value: Json): string {
  const text = typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
  return text.length > quotedMax ? `${text.slice(0, quotedMax)}…` : text
}
