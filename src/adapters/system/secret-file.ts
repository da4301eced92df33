// A secret in a file, as an editor or `echo` leaves it there.
import { readFileSync } from 'node:fs'

/** The text without the line break at its end. */
export const secretIn = (text: string): string => text.replace(/\r?\n$/, '')

/** What a file holds. @throws Error It cannot be read. */
export const readSecretFile = (path: string): string => secretIn(readFileSync(path, 'utf8'))
