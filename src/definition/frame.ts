/** Columns of a line that are shown: longer lines are cut to a window around the caret. */
const columnsShown = 110

/** Up to three lines around a place (line and column from 1), numbered, with a caret under the column. */
export function codeFrame(lines: readonly string[], line: number, column: number): string {
  const first = Math.max(1, line - 1)
  const last = Math.min(lines.length, line + 1)
  const width = String(last).length
  const skipped = Math.max(0, column - columnsShown + 20)
  const frame: string[] = []
  for (let number = first; number <= last; number++) {
    const text = printable(lines[number - 1] ?? '').slice(skipped, skipped + columnsShown)
    frame.push(`${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${text}`.trimEnd())
    if (number === line) frame.push(`  ${' '.repeat(width)} | ${' '.repeat(Math.max(0, column - 1 - skipped))}^`)
  }
  return frame.join('\n')
}

/** Control characters would move a terminal's cursor, or worse. */
function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex
  return line.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, ' ')
}
