// What outside services and people do around an example of workflows/, and how it has to end: the words that courses/ is
// written in. Every log runs the same courses.
//
// A course is run as the file is written, or `inAHurry`: then in a copy whose times are shorter, by `hurry`. Nothing else
// of a file is changed; a time that is not found there any more fails the run. Each course has a key of its own, since all
// of them run against one worker that serves the whole directory.
import type { Json } from '../../src/base/json.ts'
import type { InstanceStatus, TaskStatus } from '../../src/runtime/face.ts'

/** Stands for the address of an HTTP API: `/nth/<n>/…` says done from the n-th call on. */
export const api = 'http://api.example'

export interface Sent {
  readonly topic: string
  readonly value: Json
  readonly key?: string
}

/** A value as a service reads it. */
export interface Command {
  readonly [member: string]: Json
}

export interface Answer {
  readonly topic: string
  readonly value: (command: Command) => Json
}

/** What the outside does next. */
export type Step =
  | { readonly does: 'produce'; readonly sent: Sent }
  | { readonly does: 'run'; readonly input: Json }
  | { readonly does: 'signal'; readonly name: string; readonly payload: Json }
  /** Waits for the next command of the topic that was not seen yet, and answers it. */
  | { readonly does: 'see'; readonly topic: string; readonly answer: Answer | undefined }
  /** Waits until the instance waits at these tasks, and at no others. */
  | { readonly does: 'look'; readonly tasks: readonly string[] }

export interface Course {
  readonly title: string
  readonly workflow: string
  /** Absent: that of the first instance which the schedule starts. */
  readonly key?: string
  readonly inAHurry?: true
  readonly steps: readonly Step[]
  /** Every record of any topic that the outside does not write to, in their order by topic and key: [topic, key, value]. */
  readonly commands: (key: string) => readonly (readonly [topic: string, key: string, value: Json])[]
  readonly end: {
    readonly status: InstanceStatus
    readonly output?: Json
    readonly error?: string
    readonly incident?: { readonly task: string; readonly code: string }
    /** Some of its tasks. */
    readonly tasks?: { readonly [name: string]: TaskStatus }
  }
}

export interface Example {
  /** Times of the file, and what they are in a hurry. */
  readonly hurry?: { readonly [written: string]: string }
  readonly courses: readonly Course[]
}

export const produce = (topic: string, value: Json, key?: string): Step => ({
  does: 'produce',
  sent: { topic, value, ...(key === undefined ? {} : { key }) },
})
export const run = (input: Json): Step => ({ does: 'run', input })
export const signal = (name: string, payload: Json): Step => ({ does: 'signal', name, payload })
export const see = (topic: string): Step => ({ does: 'see', topic, answer: undefined })
export const answer = (topic: string, to: string, value: (command: Command) => Json): Step => ({
  does: 'see',
  topic,
  answer: { topic: to, value },
})
export const look = (...tasks: readonly string[]): Step => ({ does: 'look', tasks })
