// Finds the `${ … }` in a text. `$${` stands for a literal `${`.
// An expression ends at the `}` that matches: braces of maps and braces inside CEL's text literals do not count.
import { CelError } from './cel.ts'

export interface TemplatePart {
  readonly isExpression: boolean
  /** The literal text, or the expression between the braces. */
  readonly text: string
  /** Of `text` in the whole, in characters. */
  readonly offset: number
}

/** The parts of a text in order, literal texts never empty. @throws {CelError} An expression with no end. */
export function splitTemplate(text: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = []
  let literal = ''
  let literalOffset = 0
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('${', at)
    if (open === -1) break
    if (text[open - 1] === '$' && open > at) {
      literal += `${text.slice(at, open - 1)}\${`
      at = open + 2
      continue
    }
    literal += text.slice(at, open)
    if (literal !== '') parts.push({ isExpression: false, text: literal, offset: literalOffset })
    const close = closingBrace(text, open + 2)
    parts.push({ isExpression: true, text: text.slice(open + 2, close), offset: open + 2 })
    literal = ''
    at = close + 1
    literalOffset = at
  }
  literal += text.slice(at)
  if (literal !== '' || parts.length === 0) parts.push({ isExpression: false, text: literal, offset: literalOffset })
  return parts
}

function closingBrace(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const character = text[at]!
    if (character === '"' || character === "'") at = endOfLiteral(text, at)
    else if (character === '{') depth++
    else if (character === '}' && depth-- === 0) return at
  }
  throw new CelError(
    '`${` has no matching `}`; for a literal `${` write `$${`, and quote the text where it holds a # or a quote',
    from - 2,
  )
}

/** The index of the last quote of the CEL text literal that begins at `start`. */
function endOfLiteral(text: string, start: number): number {
  const quote = text[start]!.repeat(text.startsWith(text[start]!.repeat(3), start) ? 3 : 1)
  for (let at = start + quote.length; at < text.length; at++) {
    if (text[at] === '\\') at++ // in a raw text as well: the library reads r"\"" so
    else if (text.startsWith(quote, at)) return at + quote.length - 1
  }
  return text.length
}
