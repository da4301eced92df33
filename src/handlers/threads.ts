// Worker threads for handlers that would hold the event loop: `execution: thread`.
//
// A module in a thread is a HandlerModule like any other: its `run` and `stop` go to a thread, and its heartbeats, log
// lines and signals go to and fro. A thread has one task at a time and is used again; one that does not end in time after
// it was aborted is terminated, whatever it computes. How many work at once is the executor's to bound.
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { HandlerModule, HandlerTaskInput } from './contract.ts'
import type { FromThread, Part, TaskData, ToThread } from './thread-messages.ts'

export interface HandlerThreadsOptions {
  /** How long a thread may take to end by itself after it was aborted. */
  readonly graceMs: number
  /** Threads that are kept for the next task. */
  readonly idleMax: number
}

export class HandlerThreads {
  readonly #options: HandlerThreadsOptions
  readonly #idle: Thread[] = []
  readonly #all = new Set<Thread>()
  /** The thread that a task has, while its run or its `stop` is under way. */
  readonly #homes = new Map<HandlerTaskInput, Thread>()

  constructor(options: HandlerThreadsOptions) {
    this.#options = options
  }

  /** The module as one that runs in threads. @param href its file, as the registry found it */
  hosted(href: string, module: HandlerModule): HandlerModule {
    return {
      ...module,
      run: (task) => this.#run(href, task),
      ...(module.stop === undefined ? {} : { stop: (task, signal) => this.#stop(href, task, signal) }),
    }
  }

  /** Ends every thread. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((thread) => thread.terminate()))
  }

  async #run(href: string, task: HandlerTaskInput): Promise<unknown> {
    task.signal.throwIfAborted()
    const thread = this.#enter(task)
    const abort = (): void => {
      thread.abort(task.signal.reason)
      // A stop has its own time.
      later(this.#options.graceMs, () => {
        if (this.#homes.get(task) === thread && !thread.parts.has('stop')) void thread.terminate()
      })
    }
    try {
      task.signal.addEventListener('abort', abort, { once: true })
      const text = await thread.ask('run', href, dataOf(task))
      return text === undefined ? undefined : JSON.parse(text)
    } finally {
      task.signal.removeEventListener('abort', abort)
      this.#leave(thread, task)
    }
  }

  async #stop(href: string, task: HandlerTaskInput, signal: AbortSignal): Promise<void> {
    const thread = this.#enter(task)
    signal.addEventListener(
      'abort',
      () => {
        thread.timeUp()
        later(this.#options.graceMs, () => {
          if (this.#homes.get(task) === thread) void thread.terminate()
        })
      },
      { once: true },
    )
    try {
      await thread.ask('stop', href, dataOf(task))
    } finally {
      this.#leave(thread, task)
    }
  }

  #enter(task: HandlerTaskInput): Thread {
    const known = this.#homes.get(task)
    if (known !== undefined) return known
    const thread = this.#idle.find(({ isOver }) => !isOver) ?? new Thread()
    const living = this.#idle.filter((each) => each !== thread && !each.isOver)
    this.#idle.splice(0, this.#idle.length, ...living)
    this.#all.add(thread)
    this.#homes.set(task, thread)
    thread.begin(task)
    return thread
  }

  #leave(thread: Thread, task: HandlerTaskInput): void {
    if (thread.parts.size > 0) return
    this.#homes.delete(task)
    if (!thread.isOver && this.#idle.length < this.#options.idleMax) {
      thread.rest()
      this.#idle.push(thread)
      return
    }
    this.#all.delete(thread)
    void thread.terminate()
  }
}

/** One thread, as the worker sees it. */
class Thread {
  readonly #worker = new Worker(entry)
  /** What is under way in it. */
  readonly parts = new Map<Part, PromiseWithResolvers<string | undefined>>()
  #task: HandlerTaskInput | undefined
  #call = 0
  isOver = false

  constructor() {
    this.#worker.on('message', (message: FromThread) => this.#heard(message))
    this.#worker.on('error', (error) => this.#ended(error))
    this.#worker.on('exit', (code) => this.#ended(new Error(`the thread of the handler has ended (code ${code})`)))
  }

  /** The next task is this one. */
  begin(task: HandlerTaskInput): void {
    this.#call += 1
    this.#task = task
    this.#worker.ref()
  }

  /** An idle thread keeps no process alive. */
  rest(): void {
    this.#task = undefined
    this.#worker.unref()
  }

  ask(part: Part, href: string, task: TaskData): Promise<string | undefined> {
    const answer = Promise.withResolvers<string | undefined>()
    if (this.isOver) return Promise.reject(new Error('the thread of the handler has ended'))
    this.parts.set(part, answer)
    this.#post({ type: part, call: this.#call, href, task })
    return answer.promise
  }

  abort(reason: unknown): void {
    this.#post({ type: 'abort', call: this.#call, reason: reason instanceof Error ? reason.message : '' })
  }

  timeUp(): void {
    this.#post({ type: 'time-up', call: this.#call })
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  #post(message: ToThread): void {
    this.#worker.postMessage(message)
  }

  #heard(message: FromThread): void {
    if (message.call !== this.#call) return
    switch (message.type) {
      case 'returned':
        return this.#take(message.part)?.resolve(message.text)
      case 'threw':
        return this.#take(message.part)?.reject(Object.assign(new Error(message.message), message.hints))
      case 'log':
        return this.#task?.logger[message.level](JSON.parse(message.fields), message.message)
      case 'heartbeat':
        this.#task?.heartbeat(message.progress)
    }
  }

  #take(part: Part): PromiseWithResolvers<string | undefined> | undefined {
    const answer = this.parts.get(part)
    this.parts.delete(part)
    return answer
  }

  #ended(error: Error): void {
    this.isOver = true
    for (const part of ['run', 'stop'] as const) this.#take(part)?.reject(error)
  }
}

/** Beside this file, with the same ending: sources run as they are, and compiled. */
const entry = new URL(`./thread${extname(import.meta.filename)}`, import.meta.url)

const dataOf = (task: HandlerTaskInput): TaskData => {
  const { input, instance, name, attempt, idempotencyKey, traceparent, tracestate } = task
  const trace = traceparent === undefined ? {} : { traceparent, tracestate }
  return { input, instance, name, attempt, idempotencyKey, ...trace }
}

function later(ms: number, then: () => void): void {
  setTimeout(then, ms).unref()
}
