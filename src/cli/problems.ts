// Problems as a person reads them: place first, so that editors and terminals make it a link.
import { isAbsolute, relative } from 'node:path'
import type { Problem } from '../base/errors.ts'
import { printable, type Style } from './output.ts'

type Severity = 'problem' | 'warning'

/** The lines for one problem: where, what, the nearest name, the frame. */
function problemLines(problem: Problem, style: Style, workingDirectory: string, severity: Severity): readonly string[] {
  const { place, path, suggestion, frame } = problem
  const where =
    place === undefined ? (path ?? '') : `${shownFile(place.file, workingDirectory)}:${place.line}:${place.column}`
  const code = severity === 'warning' ? style.yellow(`warning ${problem.code}`) : style.red(problem.code)
  const head = [style.bold(printable(where)), code, place === undefined ? '' : style.dim(path ?? '')]
  const lines = [head.filter((part) => part !== '').join('  ')]
  for (const line of problem.message.split('\n')) lines.push(`  ${printable(line)}`)
  if (suggestion !== undefined && !problem.message.includes(`"${suggestion}"?`)) {
    lines.push(`  ${style.yellow(`Did you mean "${printable(suggestion)}"?`)}`)
  }
  if (frame !== undefined) {
    for (const line of frame.split('\n')) lines.push(`    ${style.dim(printable(line.trimEnd()))}`)
  }
  return lines
}

/** All of them, an empty line between two; files below the working directory are shown relative to it. */
export function problemsText(
  problems: readonly Problem[],
  style: Style,
  workingDirectory: string,
  severity: Severity = 'problem',
): string {
  return problems.map((problem) => problemLines(problem, style, workingDirectory, severity).join('\n')).join('\n\n')
}

/** A file as a person knows it: below the working directory relative to it. */
export function shownFile(file: string, workingDirectory: string): string {
  const shorter = isAbsolute(file) ? relative(workingDirectory, file) : file
  return shorter.startsWith('..') ? file : shorter
}

/** "1 problem", "2 problems". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
