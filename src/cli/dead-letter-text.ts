// Dead letters as text.
import type { DeadLetterSummary, DeadLetterView, RecordPlaceView } from '../runtime/face.ts'
import { compactJson, printable, type Style, table } from './output.ts'
import { counted } from './problems.ts'

/** Longer messages are cut in the list; `show` has all of it. */
const messageLengthMax = 80

/** A letter by its place, as commands take it: "3@17". */
export const letterName = ({ partition, offset }: { readonly partition: number; readonly offset: number }): string =>
  `${partition}@${offset}`

/** "orders/3@17" */
export const placeText = ({ topic, partition, offset }: Omit<RecordPlaceView, 'timestamp'>): string =>
  printable(`${topic}/${partition}@${offset}`)

export const deadLetterHead = ['LETTER', 'WHEN', 'REASON', 'SOURCE', 'WORKFLOW', 'SIZE', 'STATE', 'MESSAGE']

export function deadLetterRow(letter: DeadLetterSummary, style: Style): readonly string[] {
  const { at, reason, source, workflows, bytes, message } = letter
  const text = printable(message.split('\n', 1)[0] ?? '')
  return [
    letterName(letter),
    at,
    style.red(printable(reason)),
    placeText(source),
    printable(workflows.join(', ')),
    sizeText(bytes.key + bytes.value + bytes.headers),
    stateText(letter, style),
    text.length > messageLengthMax ? `${text.slice(0, messageLengthMax - 1)}…` : text,
  ]
}

/** Everything about a letter; `redrive` is the command that redrives it. */
export function* deadLetterLines(letter: DeadLetterView, redrive: string, style: Style): Generator<string> {
  const { source, first, bytes, redriven, redrivenTimes } = letter
  yield `${style.bold(letterName(letter))}  ${style.red(printable(letter.reason))}`
  const rows: [string, string][] = [
    ['when', letter.at],
    ['source', `${placeText(source)}${timeText(source)}`],
  ]
  if (letter.workflows.length > 0) rows.push(['workflow', printable(letter.workflows.join(', '))])
  if (first !== undefined)
    rows.push([
      'first',
      `${placeText(first)}${timeText(first)}: redriven ${counted(redrivenTimes, 'time')}, and died again`,
    ])
  rows.push(['key', letter.keyBase64 === undefined ? keyText(letter) : `base64 ${letter.keyBase64}`])
  rows.push(['size', `value ${sizeText(bytes.value)}, key ${sizeText(bytes.key)}, headers ${sizeText(bytes.headers)}`])
  rows.push(['sha256', letter.valueSha256])
  if (redriven !== undefined)
    rows.push([
      'redriven',
      `${redriven.at} to ${printable(redriven.topic)}/${redriven.partition}${redriven.by === undefined ? '' : ` by ${printable(redriven.by)}`}`,
    ])
  yield* table(
    rows.map(([name, value]) => [style.dim(name), value]),
    '  ',
  )
  yield ''
  yield style.bold('Message')
  for (const line of letter.message.split('\n')) yield `  ${printable(line)}`
  if (letter.headers.length > 0) {
    yield ''
    yield style.bold('Headers')
    yield* table(
      letter.headers.map(({ key, value, valueBase64 }) => [
        style.dim(printable(key)),
        valueBase64 === undefined ? printable(value ?? '') : `base64 ${valueBase64}`,
      ]),
      '  ',
    )
  }
  yield ''
  if (!letter.isKept) {
    yield `The record was too large to be kept: it is at ${placeText(source)} as long as that topic keeps it.`
    return
  }
  yield style.bold('Value')
  if (letter.valueBase64 !== undefined) yield `  base64 ${letter.valueBase64}`
  else {
    const text = typeof letter.value === 'string' ? letter.value : JSON.stringify(letter.value, null, 2)
    for (const line of text.split('\n')) yield `  ${printable(line)}`
  }
  yield ''
  yield redriven === undefined
    ? `Once what was wrong is mended: ${style.bold(redrive)}`
    : `It was redriven already; to do it once more: ${style.bold(`${redrive} --again`)}`
}

/** "12 B", "1.5 KiB", "1.0 MiB" */
export function sizeText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`
}

function stateText({ redriven, redrivenTimes, isKept }: DeadLetterSummary, style: Style): string {
  const states = [
    ...(redriven === undefined ? [] : [style.dim('redriven')]),
    ...(redrivenTimes === 0 ? [] : [style.yellow(`died ${redrivenTimes + 1} times`)]),
    ...(isKept ? [] : [style.yellow('not kept')]),
  ]
  return states.join(', ')
}

function keyText({ key }: DeadLetterView): string {
  return key === null ? 'none' : compactJson(key).slice(1, -1)
}

function timeText({ timestamp }: RecordPlaceView): string {
  return timestamp === null ? '' : `, written ${timestamp}`
}
