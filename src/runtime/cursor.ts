// Where a row stands in a list over several partitions; as text it is a cursor, behind which a page goes on.
import { compareUtf8 } from '../base/utf8.ts'

/** By key, as stores order them, and among rows of one key by number. */
export interface Place {
  readonly key: string
  readonly number: number
}

export const cursorOf = ({ key, number }: Place): string => `${number}@${key}`

/** @param cursor as `cursorOf` gives it; what is none is before everything. */
export function placeOf(cursor: string | undefined): Place {
  const [, number = '-1', key = ''] = /^(\d{1,15})@([^]*)$/.exec(cursor ?? '') ?? []
  return { key, number: Number(number) }
}

export const comparePlaces = (a: Place, b: Place): number => compareUtf8(a.key, b.key) || a.number - b.number
