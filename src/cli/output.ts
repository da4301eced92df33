// Text for people and JSON for programs. Colours by base/colours.ts; whatever came from a record
// goes through `printable`, so that a payload cannot move the cursor or rewrite the line above.
import { stripVTControlCharacters, styleText } from 'node:util'
import { wantsColours } from '../base/colours.ts'
import type { Surroundings, TextSink } from './surroundings.ts'

type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'
export type Style = { readonly [colour in Colour]: (text: string) => string }

export interface Output {
  readonly style: Style
  /** To stdout, with a line end. */
  line(text?: string): void
  /** To stderr, with a line end: what is not the answer itself. */
  note(text: string): void
  /** One JSON document to stdout; compact, so that many make JSON lines. */
  json(value: unknown): void
}

export function createOutput({ stdout, stderr, env }: Pick<Surroundings, 'stdout' | 'stderr' | 'env'>): Output {
  return {
    style: styleOf(hasColours(stdout, env)),
    line: (text = '') => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    json: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
  }
}

/** Whether what is written to a sink has colours. */
export function hasColours(sink: TextSink, env: Surroundings['env']): boolean {
  return wantsColours(sink.isTTY === true, env)
}

export function styleOf(isColoured: boolean): Style {
  const paint = (colour: Colour) => (text: string) =>
    isColoured && text !== '' ? styleText(colour, text, { validateStream: false }) : text
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
  }
}

/** A status in the colour that it has everywhere. */
export function paintStatus(style: Style, status: string): string {
  switch (status) {
    case 'COMPLETED':
      return style.green(status)
    case 'FAILED':
    case 'INCIDENT':
      return style.red(status)
    case 'SUSPENDED':
    case 'COMPENSATING':
    case 'STOPPED':
      return style.yellow(status)
    case 'NOT_STARTED':
    case 'SKIPPED':
      return style.dim(status)
    default:
      return style.cyan(status)
  }
}

/** Rows as aligned columns, two spaces apart; the last column keeps its own width. Cells may be coloured. */
export function table(rows: readonly (readonly string[])[], indent = ''): readonly string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))
  }
  return rows.map((row) => {
    const cells = row.map((cell, column) => cell + ' '.repeat(widths[column]! - widthOf(cell)))
    return (indent + cells.join('  ')).trimEnd()
  })
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length
}

/** The text with control characters written out, as in \u001b; line ends included. */
export function printable(text: string): string {
  return text.replaceAll(
    /\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu,
    (control) => `\\u${control.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  )
}

/** A JSON value on one line, safe to print; longer than `lengthMax` characters it is cut. */
export function compactJson(value: unknown, lengthMax = Number.POSITIVE_INFINITY): string {
  const text = printable(JSON.stringify(value) ?? 'null')
  return text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text
}

/** "0.4 s", "2 min 5 s", "3 h 20 min", "2 d 4 h". */
export function duration(ms: number): string {
  if (ms < 60_000) return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 1_440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  const hours = Math.round(minutes / 60)
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** A value as a shell takes it: bare where that is safe, else in single quotes. */
export function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
