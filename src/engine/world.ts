// What a decision may look at beside the state: handed in with every command, so that the engine asks for nothing
// (D4) and the same inputs give the same answer (I11).
import type { TaskError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { Tracing } from '../base/tracing.ts'
import type { Expression } from '../definition/expression.ts'
import type { RegisteredFormat, TopicFormat } from '../definition/topic-format.ts'
import type { RecordTrigger, Workflow } from '../definition/workflow.ts'

export interface World {
  /** The time of what is being processed. */
  readonly nowMs: number
  /** This partition, and how many there are. */
  readonly partition: number
  readonly partitions: number
  readonly catalogue: Catalogue
  /** Absent: no spans are made, and what came in is carried on as it is. */
  readonly tracing?: Tracing | undefined
  newId(): string
  /** True for a topic of the application itself: what a workflow writes there would be taken for ours. */
  isReserved(topic: string): boolean
  /** The bytes of a key or value by the schema that the registry has for the topic. @throws {Misfit} */
  encode(topic: string, what: 'key' | 'value', format: RegisteredFormat, value: Json): Uint8Array
  /** Why the log refused the record of this attempt, when its batch was tried before (design 4.5). */
  refusal(instanceId: string, task: number, attempt: number): TaskError | undefined
}

/** The workflows that are known, by version and by the topics they read. */
export interface Catalogue {
  find(version: string): Workflow | undefined
  /** The version that new starts take. */
  current(workflow: string): Workflow | undefined
  startsOn(topic: string): readonly Start[]
  listenersOn(topic: string): readonly ListenerGroup[]
  /** How the topic is read, by any of the versions that there are; never empty. */
  formatsOn(topic: string): readonly TopicFormat[]
  /** True where starts of a workflow may wait for an instance to end: by any of its versions. */
  mayQueue(workflow: string): boolean
  /** True where any version has search attributes. */
  readonly hasAttributes: boolean
}

export interface Start {
  readonly workflow: Workflow
  readonly trigger: RecordTrigger
}

export interface Route {
  readonly expression: Expression
  readonly format: TopicFormat
}

/** How the listeners of one workflow, all its versions, find the value of a topic's record. */
export interface ListenerGroup {
  readonly workflow: string
  /** The distinct record sides of their first pairs, each with the format that it reads the record by. */
  readonly routes: readonly Route[]
  /** The longest `keep` among them. */
  readonly keepMs: number
  /** dead-letter where any of them says so. */
  readonly onExpired: 'drop' | 'dead-letter'
}
