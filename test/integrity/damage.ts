// What happens to files on disks: drawn for one copy of a specimen, and carried out on it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../simulation/random.ts'
import { filesOf, replaceFile } from './specimen.ts'

export const damages = ['flip', 'overwrite', 'zeroPage', 'swap', 'delete'] as const
export type DamageKind = (typeof damages)[number]

const overwrittenBytesMax = 16
const pageBytes = 4_096
/** The end of a table, where its filter, its index and its footer are: little of it by size, and most of its dangers. */
const tableEndBytes = 1_000

/** Damages the files in a directory once; says what it did. */
export function damage(directory: string, kind: DamageKind, random: Random): string {
  const name = pickFile(filesOf(directory), random)
  const content = readFileSync(join(directory, name))
  switch (kind) {
    case 'delete':
      replaceFile(directory, name, undefined)
      return `${name} deleted`
    case 'swap': {
      const other = pickFile(
        filesOf(directory).filter((file) => file !== name),
        random,
      )
      replaceFile(directory, name, readFileSync(join(directory, other)))
      replaceFile(directory, other, content)
      return `${name} and ${other} swapped`
    }
    case 'flip':
    case 'overwrite':
    case 'zeroPage':
      return damageBytes(directory, kind, random)
  }
}

function damageBytes(directory: string, kind: 'flip' | 'overwrite' | 'zeroPage', random: Random): string {
  const withContent = filesOf(directory).filter((file) => readFileSync(join(directory, file)).length > 0)
  const name = pickFile(withContent, random)
  const content = readFileSync(join(directory, name))
  const isAimed = name.endsWith('.ldb') && random.chance(0.5)
  const from = isAimed ? Math.max(0, content.length - tableEndBytes) : 0
  const at = from + random.int(content.length - from)
  if (kind === 'flip') content[at]! ^= 1 << random.int(8)
  if (kind === 'zeroPage')
    content
      .subarray(at - (at % pageBytes))
      .subarray(0, pageBytes)
      .fill(0)
  if (kind === 'overwrite') {
    const bytes = content.subarray(at).subarray(0, 2 + random.int(overwrittenBytesMax - 1))
    for (const index of bytes.keys()) bytes[index] = random.int(256)
  }
  replaceFile(directory, name, content)
  return `${kind} at ${at} of ${name}`
}

/** First what kind of file, so that many tables are not most of the damage. */
function pickFile(files: readonly string[], random: Random): string {
  const kindOf = (name: string): string => name.replace(/\d+/, '')
  const kind = random.pick([...new Set(files.map(kindOf))])
  return random.pick(files.filter((name) => kindOf(name) === kind))
}
