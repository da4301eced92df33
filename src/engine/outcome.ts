// What a decision comes to: events for the state, commands that follow at once, records for the transaction and
// effects for after it. A decider fills one and returns it, or returns a rejection; it changes nothing itself.
import type { Command, Travelling } from './command.ts'
import type { Effect, Outgoing } from './effect.ts'
import type { Event } from './event.ts'
import type { Rejection } from './rejection.ts'
import type { State } from './state.ts'
import type { World } from './world.ts'

const none: readonly never[] = []

export class Outcome {
  // Made when there is a first one, which most have only: an empty list that grows takes room for sixteen more.
  #events: Event[] | undefined
  #followUps: Command[] | undefined
  #outgoing: Outgoing[] | undefined
  #effects: Effect[] | undefined

  get events(): readonly Event[] {
    return this.#events ?? none
  }

  /** Decided next, in this order, on the state with the events applied. */
  get followUps(): readonly Command[] {
    return this.#followUps ?? none
  }

  get outgoing(): readonly Outgoing[] {
    return this.#outgoing ?? none
  }

  get effects(): readonly Effect[] {
    return this.#effects ?? none
  }

  event(event: Event): this {
    if (this.#events === undefined) this.#events = [event]
    else this.#events.push(event)
    return this
  }

  follow(command: Command): this {
    if (this.#followUps === undefined) this.#followUps = [command]
    else this.#followUps.push(command)
    return this
  }

  /** To the partition that it concerns; where that is the own one, it follows at once, with no hop. */
  send(world: World, partition: number, command: Travelling): this {
    return partition === world.partition ? this.follow(command) : this.produce({ type: 'inbox', partition, command })
  }

  produce(record: Outgoing): this {
    if (this.#outgoing === undefined) this.#outgoing = [record]
    else this.#outgoing.push(record)
    return this
  }

  effect(effect: Effect): this {
    if (this.#effects === undefined) this.#effects = [effect]
    else this.#effects.push(effect)
    return this
  }

  /** What another one comes to, after what this one has. */
  include(other: Outcome): this {
    for (const event of other.events) this.event(event)
    for (const command of other.followUps) this.follow(command)
    for (const record of other.outgoing) this.produce(record)
    for (const effect of other.effects) this.effect(effect)
    return this
  }
}

export type Decider<Type extends Command['type']> = (
  command: Extract<Command, { type: Type }>,
  state: State,
  world: World,
) => Outcome | Rejection

export const accept = (): Outcome => new Outcome()
