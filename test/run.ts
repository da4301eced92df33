// What `npm test` runs: node's own test runner over test/**/*.test.ts, and one plain line at the end: "N passed, N failed".
// One Kafka for all files that ask for it (support/kafka/use-kafka.ts), unless KAFKA_BROKERS names another.
// `--fast` leaves out what takes longer than a minute. Other arguments are glob patterns that replace the default.
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { startBroker } from './support/kafka/broker.ts'

// Hundreds of processes read the same sources: what Node made of them is kept for the next one, which saves it two fifths
// of its start.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url))

const slow = [
  'test/integrity/**',
  'test/conformance/**',
  'test/contract/kafka*',
  'test/simulation/campaign*',
  'test/surfaces/e2e*',
  'test/surfaces/image*',
  'test/surfaces/readme*',
  'test/surfaces/package*',
  'test/workflows/*kafka*',
]
/** Two cores are what CI has, and several tests start a worker of their own. */
const filesAtOnce = 2
const fileTimeoutMs = 10 * 60_000

const argv = process.argv.slice(2)
const patterns = argv.filter((argument) => !argument.startsWith('--'))
const files = globSync(patterns.length > 0 ? patterns : ['test/**/*.test.ts'], {
  exclude: argv.includes('--fast') ? slow : [],
}).sort()

// Where it cannot be started the files say so themselves: they fail.
const wantsKafka =
  !process.env['KAFKA_BROKERS'] && files.some((file) => readFileSync(file, 'utf8').includes('useKafka'))
const kafka = wantsKafka ? await startBroker().catch((error: Error) => console.error(error.message)) : undefined
if (kafka) process.env['KAFKA_BROKERS'] = kafka.address

let passed = 0
let failed = 0
if (files.length > 0) {
  const events = run({ files, concurrency: filesAtOnce, timeout: fileTimeoutMs })
  // Counted by test, suites left out: a suite's own result repeats those of its tests. A file that could not be run
  // is a failed test to the runner, and counts as one.
  events.on('test:pass', ({ details, skip }) => {
    if (details.type !== 'suite' && skip === undefined) passed += 1
  })
  events.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') failed += 1
  })
  const report = events.compose(spec)
  for await (const text of report) process.stdout.write(text)
}

await kafka?.dispose()
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
