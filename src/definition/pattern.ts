// What a regular expression may cost on a text. The language's engine backtracks: every choice that a pattern leaves
// multiplies what is tried. A choice is where a repetition ends, whether an optional part is there, which alternative is
// taken and, with no `^` in front, where the match begins. cel.ts has seen to it that no group is repeated.

/** Tries of a valid pattern on a text of this many characters, at most. */
export function triesOf(pattern: string, characters: number): number {
  // Escapes and classes stand for one character, whatever is in them.
  const tokens: readonly string[] =
    pattern.replace(/\\.|\[(?:\\.|[^\]\\])*\]/gs, '.').match(/\(\?<?[:=!]|\(\?<\w+>|\{\d+(?:,\d*)?\}|./gs) ?? []
  const length = Math.max(1, characters)
  let at = 0
  let depth = 0
  let isOneSequence = true

  /** The product of its parts' choices; the alternatives of a group are tried one after another. */
  function alternatives(): number {
    let sum = 0
    let product = 1
    for (; at < tokens.length && tokens[at] !== ')'; at++) {
      const token = tokens[at]!
      if (token === '|') {
        sum += product
        product = 1
        if (depth === 0) isOneSequence = false
      } else if (token.startsWith('(')) {
        at += 1
        depth += 1
        product *= alternatives()
        depth -= 1
      } else {
        product *= choices(token, length)
        // A question mark behind a repetition makes it lazy, and leaves no further choice.
        if (isRepetition(token) && tokens[at + 1] === '?') at += 1
      }
    }
    return sum + product
  }

  const tries = alternatives()
  const isAnchored = tokens[0] === '^' && isOneSequence
  return length + (isAnchored ? tries : tries * length)
}

function isRepetition(token: string): boolean {
  return token === '*' || token === '+' || token === '?' || token.length > 2
}

function choices(token: string, length: number): number {
  if (token === '?') return 2
  if (token === '*' || token === '+') return length
  const [least, most] = /^\{(\d+)(?:,(\d*))?\}$/.exec(token)?.slice(1) ?? []
  if (least === undefined || most === undefined) return 1
  return most === '' ? length : Math.min(length, Number(most) - Number(least) + 1)
}
