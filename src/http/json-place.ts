// Where a text stops being JSON. JSON.parse says it for some mistakes only; whoever has to mend a body of a thousand
// lines needs it for all. Reads the text once, with no recursion, and only after JSON.parse has refused it.

export interface JsonErrorPlace {
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  readonly expected: string
  readonly found: string
}

type Expectation = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing'

const inWords: { readonly [expectation in Expectation]: string } = {
  value: 'a value',
  'value-or-end': "a value or ']'",
  key: 'a key in double quotes',
  'key-or-end': "a key in double quotes or '}'",
  colon: "':'",
  'comma-or-end': "',' or the closing bracket",
  nothing: 'the end of the text',
}

const space = /[ \t\n\r]*/y
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/** The first place where `text`, which JSON.parse refused, is not JSON. */
export function placeOfJsonError(text: string): JsonErrorPlace {
  const open: string[] = []
  let expects: Expectation = 'value'
  let at = 0
  for (;;) {
    at = endOf(space, text, at)
    const char = text[at]
    const isValueNext: boolean = expects === 'value' || expects === 'value-or-end'
    const closes = expects.endsWith('-or-end') && char === open.at(-1)
    if (closes) {
      open.pop()
      at += 1
      expects = after(open)
    } else if (isValueNext && (char === '{' || char === '[')) {
      open.push(char === '{' ? '}' : ']')
      at += 1
      expects = char === '{' ? 'key-or-end' : 'value-or-end'
    } else if (char === '"' && (isValueNext || expects === 'key' || expects === 'key-or-end')) {
      const string = readString(text, at)
      if (!string.isClosed) return placeAt(text, string.end, 'a string as JSON writes it')
      at = string.end
      expects = isValueNext ? after(open) : 'colon'
    } else if (isValueNext && endOf(scalar, text, at) > at) {
      at = endOf(scalar, text, at)
      expects = after(open)
    } else if (expects === 'colon' && char === ':') {
      at += 1
      expects = 'value'
    } else if (expects === 'comma-or-end' && char === ',') {
      at += 1
      expects = open.at(-1) === '}' ? 'key' : 'value'
    } else {
      return placeAt(text, at, inWords[expects])
    }
  }
}

function after(open: readonly string[]): Expectation {
  return open.length === 0 ? 'nothing' : 'comma-or-end'
}

/** Where a match of a sticky expression at `at` ends; `at` where it does not match. */
function endOf(expression: RegExp, text: string, at: number): number {
  expression.lastIndex = at
  return expression.test(text) ? expression.lastIndex : at
}

/** The end of the string that begins at `at`, or the place of its first mistake. */
function readString(text: string, at: number): { end: number; isClosed: boolean } {
  let end = at + 1
  for (;;) {
    const code = text.charCodeAt(end)
    if (code === 0x22) return { end: end + 1, isClosed: true }
    // NaN at the end of the text: not greater than a space either.
    if (!(code >= 0x20)) return { end, isClosed: false }
    const next = code === 0x5c ? endOf(escape, text, end) : end + 1
    if (next === end) return { end, isClosed: false }
    end = next
  }
}

function placeAt(text: string, at: number, expected: string): JsonErrorPlace {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = at - before.lastIndexOf('\n')
  const found =
    at >= text.length ? 'the end of the text' : JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))
  return { line, column, expected, found }
}
