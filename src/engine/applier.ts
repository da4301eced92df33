import type { Event, EventType } from './event.ts'
import type { WritableState } from './state.ts'

/** Appliers record; they cannot refuse. */
export type Applier<Type extends EventType> = (event: Extract<Event, { type: Type }>, state: WritableState) => void
