// Search attributes in the state: what an instance has stands in its row, and a row of its own for each finds it.
// They are compared as texts: 17 and "17" are found alike.

export type AttributeValue = string | number | boolean

/** What has changed of an instance, as far as attributes may name it; start: all that there is. */
export type Changed = 'start' | 'vars' | 'tasks'

/** Its id says all there is. */
export interface AttributeRow {
  readonly isThere: true
}

/**
 * What the ids begin with of all instances that have this. An id of an instance has no '/', and no more has a value here;
 * half a character, which no attribute has, is asked for like any other.
 */
export const attributePrefix = (name: string, value: string): string =>
  `${name}/${encodeURIComponent(value.toWellFormed())}/`

export const attributeId = (name: string, value: AttributeValue, instanceId: string): string =>
  attributePrefix(name, String(value)) + instanceId
