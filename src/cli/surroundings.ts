// Everything that the command line asks of the outside, so that a test can be the outside.
import type { Json } from '../base/json.ts'
import type { Measure } from '../bench/report.ts'
import type { WorkerConfig } from '../config/worker-config.ts'
import type { InspectedTopic, NeededTopic, OnUpdate, WorkerFace } from '../runtime/face.ts'

/** A worker in this process, as composition.ts makes it. */
export interface RunningWorker {
  readonly worker: WorkerFace
  /** Where its HTTP API listens: "http://127.0.0.1:7070". */
  readonly url: string
  /** Stops gracefully; resolves when everything is closed. May be called more than once. */
  stop(): Promise<void>
  /** Resolves when the worker has stopped; rejects when it ended by a fault that it could not cure. */
  readonly stopped: Promise<void>
}

export interface StartOptions {
  /** Log lines as JSON even on a terminal. */
  readonly jsonLogs: boolean
  /** It runs in somebody else's process, whose stray errors are not ours. */
  readonly isGuest?: boolean
  /** Told of every update. */
  readonly onUpdate?: readonly OnUpdate[]
}

/** Resolves when the worker is ready. @throws {ConfigError} The data directory or the port is in use, a handler is broken, … */
export type StartWorker = (config: WorkerConfig, options: StartOptions) => Promise<RunningWorker>

/**
 * Makes the Kafka topics that an application and its workflows need; gives all of them, sorted by name.
 * @throws {ConfigError} @throws {DefinitionError} @throws {TransientFault} Kafka cannot be reached, or refuses.
 */
export type CreateTopics = (config: WorkerConfig) => Promise<readonly NeededTopic[]>

/** Looks at the topics that an application and its workflows need, sorted by name; throws as `CreateTopics` does. */
export type InspectTopics = (config: WorkerConfig) => Promise<readonly InspectedTopic[]>

/** What is known of handlers without running them. */
export interface KnownHandlers {
  readonly names: readonly string[]
  find(name: string): { readonly input?: { readonly schema: Json } } | undefined
}

/** Where text goes; stdout and stderr are such. */
export interface TextSink {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export type StopSignal = 'SIGINT' | 'SIGTERM'

export interface Surroundings {
  readonly startWorker: StartWorker
  readonly createTopics: CreateTopics
  readonly inspectTopics: InspectTopics
  readonly measure: Measure
  /** The handlers in a directory, with the JSON Schemas that they export. @throws {ConfigError} */
  readonly loadHandlers: (directory: string | undefined) => Promise<KnownHandlers>
  /** Standard input, piece by piece. */
  readonly stdin: AsyncIterable<string | Uint8Array>
  readonly stdout: TextSink
  readonly stderr: TextSink
  readonly env: { readonly [name: string]: string | undefined }
  readonly workingDirectory: string
  /** Where package.json, workflows/ and schemas/ of this package lie. */
  readonly packageDirectory: string
  /** What a person types to run this program, for commands to copy: "dagger-worker". */
  readonly programName: string
  /** The package's version. */
  readonly version: string
  /** Takes over a signal until the result is called. */
  onSignal(callback: (signal: StopSignal) => void): () => void
  /** Ends the process without waiting for anything. */
  exitNow(code: number): void
}
