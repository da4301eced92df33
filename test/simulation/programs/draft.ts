// A workflow on its way: the names that its tasks have, what their expressions may speak of, and how many more there may
// be. Whoever starts it brings an input with all fields of `InputFields` (acts.ts); `vars` begin as `firstVars`.
import type { Json } from '../../../src/base/json.ts'
import type { Random } from '../random.ts'

/** A task as it stands in a file. */
export interface TaskDocument {
  readonly name: string
  readonly type: string
  readonly [key: string]: Json
}

export interface InputFields {
  readonly [name: string]: Json
  readonly id: string
  /** 0 to 5. */
  readonly size: number
  /** Shared by a few customers. */
  readonly about: string
  readonly number: number
  /** A duration. */
  readonly grace: string
}

/** `heard`: what listeners with `until` took, as "listener5 answers/3@17". */
export const firstVars = { count: 0, note: 'none', heard: [] }

/** Signals that people send. */
export const signalNames = ['go', 'ready'] as const

export class Draft {
  readonly random: Random
  /** How the listeners of this workflow find their records; the same in all its versions. */
  readonly routes: Routes
  /** Workflows that it may start as its children. */
  readonly children: readonly string[]
  /** Names that an expression here may name: not those in the items of a `for-each` that is done with. */
  #names: readonly string[] = []
  #drawn = 0
  #left: number
  #items = 0

  constructor(random: Random, routes: Routes, tasksMax: number, children: readonly string[] = []) {
    this.random = random
    this.routes = routes
    this.children = children
    this.#left = tasksMax
  }

  /** Tasks that there may still be. */
  get left(): number {
    return this.#left
  }

  /** A name for the next task. */
  name(type: string): string {
    this.#left -= 1
    this.#drawn += 1
    const name = `${type.replace(/^(kafka|for)-/, '')}${this.#drawn}`
    this.#names = [...this.#names, name]
    return name
  }

  /** The value of a command: it names its task, in a `for-each` with its item, which is a text that no other has. */
  commandOf(task: string): { readonly id: string; readonly instance: string; readonly task: string } {
    return {
      id: '${ instance.key }',
      instance: '${ instance.id }',
      task: this.isInItem ? `${task} \${ item }` : task,
    }
  }

  /** True where `item` is at hand. */
  get isInItem(): boolean {
    return this.#items > 0
  }

  /** Draws what runs for each item of a `for-each`. */
  inItem<Drawn>(draw: () => Drawn): Drawn {
    const outside = this.#names
    this.#items += 1
    const drawn = draw()
    this.#items -= 1
    this.#names = outside
    return drawn
  }

  /** True or false, mostly; now and then it cannot be evaluated. */
  condition(): string {
    const { random } = this
    if (random.chance(0.03)) return 'input.missing > 1'
    return random.pick([
      'input.size > 2',
      'input.size < 3',
      'input.number % 2 == 0',
      'vars.count < 2',
      "vars.note == 'none'",
      'has(input.flag)',
      ...(this.isInItem ? ['index == 0'] : []),
      ...(this.#names.length > 1 ? [`tasks.${random.pick(this.#names.slice(0, -1))}.status == 'COMPLETED'`] : []),
    ])
  }
}

/** The two sides by which records of the answers' and of the replies' topics are told apart first. */
export interface Routes {
  readonly reply: CorrelationPair
  readonly answer: CorrelationPair
  /** Any reply of its route will do for a listener, whichever of its commands was asked for it: then it may starve. */
  readonly areShared: boolean
}

export interface CorrelationPair {
  readonly message: string
  readonly instance: string
  readonly [key: string]: string
}

export function drawRoutes(random: Random): Routes {
  return {
    reply: random.pick([
      { message: 'message.value.id', instance: 'instance.key' },
      { message: 'message.value.parcel', instance: "'parcel-' + instance.key" },
      { message: 'message.value.instance', instance: 'instance.id' },
      { message: 'message.key', instance: 'instance.key' },
    ]),
    answer: random.pick([
      { message: 'message.value.about', instance: 'input.about' },
      { message: 'message.key', instance: 'input.about' },
      { message: 'message.value.number', instance: 'input.number' },
    ]),
    areShared: random.chance(0.3),
  }
}
