import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { parseJsonBody } from '../../src/http/json-body.ts'
import { placeOfJsonError } from '../../src/http/json-place.ts'
import { HttpProblem } from '../../src/http/problem.ts'

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

suite('the place of an error in JSON', () => {
  test('is where a character stands that may stand nowhere, or where its number or escape begins', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), fc.nat(), (json, seed) => {
        const at = seed % (json.length + 1)
        const { line, column } = placeOfJsonError(`${json.slice(0, at)}\u0001${json.slice(at)}`)
        assert.equal(line, 1)
        assert.ok(column - 1 <= at)
        assert.match(json.slice(column - 1, at), /^(?:[-+.\w]*|\\u?\w*)$/)
      }),
      { numRuns: 1_000 },
    )
  })

  test('is inside of any text that JSON.parse refuses, or at its end', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '1',
      '-',
      '.5',
      'e3',
      'true',
      'nul',
      '\\',
      '\n',
      ' ',
      'é',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (text) => {
          fc.pre(!isJson(text))
          const { line, column } = placeOfJsonError(text)
          const lines = text.split('\n')
          assert.ok(line >= 1 && line <= lines.length)
          assert.ok(column >= 1 && column <= (lines[line - 1] ?? '').length + 1)
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

suite('a body', () => {
  test('is taken as JSON.parse takes it, or refused with a problem: nothing else is thrown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), fc.uint8Array()), (body) => {
        const bytes = Buffer.from(body)
        try {
          assert.deepEqual(parseJsonBody(bytes), JSON.parse(bytes.toString()))
        } catch (error) {
          if (!(error instanceof HttpProblem)) throw error
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
