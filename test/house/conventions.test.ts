// Conventions that a tool can hold: the table of error codes is complete, and files stay short.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorCodes } from '../../src/base/codes.ts'
import { readSources } from './sources.ts'

const table = 'src/base/codes.ts'
const linesMax = 300

/** Files that are longer, each with its reason. */
const longFiles: { readonly [file: string]: string } = {}

const sources = readSources()

/** Codes that stand in code as texts; what comments mention does not count. */
function codesIn(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line))
    .flatMap((line) => [...line.matchAll(/['"`](DW_[A-Z0-9_]+)['"`]/g)].map((match) => match[1] ?? ''))
}

const used = new Map<string, string>()
for (const { file, text } of sources) {
  if (file === table) continue
  for (const code of codesIn(text)) used.set(code, file)
}

test('every DW_ code that the sources use is in the table, with what to do about it', () => {
  const missing = [...used]
    .filter(([code]) => !Object.hasOwn(errorCodes, code))
    .map(([code, file]) => `${code} (${file})`)
  assert.deepEqual(missing, [])
  for (const [code, cure] of Object.entries(errorCodes)) assert.match(cure, /^[A-Z].{15,}\.$/s, code)
})

test('every code in the table is used', () => {
  assert.deepEqual(
    Object.keys(errorCodes).filter((code) => !used.has(code)),
    [],
  )
})

test('codes in comments are not taken for used, those in code are', () => {
  assert.deepEqual(codesIn("// 'DW_A'\n * 'DW_B'\nthrow problem('DW_C', 'm') // 'x'"), ['DW_C'])
})

test('no file is longer than 300 lines without a reason', () => {
  const long = sources.filter(({ text }) => text.trimEnd().split('\n').length > linesMax).map(({ file }) => file)
  assert.deepEqual(
    long.filter((file) => !Object.hasOwn(longFiles, file)),
    [],
  )
  assert.deepEqual(
    Object.keys(longFiles).filter((file) => !long.includes(file)),
    [],
    'listed as long, and is not',
  )
})
