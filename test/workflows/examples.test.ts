// Every file in workflows/ is an example: it is valid by itself, and each of its courses runs to its end, in this process,
// on the embedded log, with nothing simulated but the services that answer.
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import type { Json } from '../../src/base/json.ts'
import type { RunningWorker } from '../../src/cli/surroundings.ts'
import { loadConfig } from '../../src/config/worker-config.ts'
import { readWorkflowFiles } from '../../src/definition/folder.ts'
import { loadWorkflows } from '../../src/definition/parse.ts'
import { startWorker } from '../../src/main.ts'
import type { InstanceView, RecordView, WorkerFace } from '../../src/runtime/face.ts'

const directory = join(import.meta.dirname, '../../workflows')

interface Sent {
  readonly topic: string
  readonly value: Json
}

/** One way through a workflow: what starts it, what the services answer to its commands, and how it ends. */
interface Course {
  readonly title: string
  readonly start: Sent
  readonly key: string
  readonly answers: readonly { readonly to: string; readonly answer: Sent }[]
  readonly commands: readonly Sent[]
  readonly end: {
    readonly status: InstanceView['status']
    readonly output?: Json
    readonly incident?: { readonly task: string; readonly code: string }
  }
}

const order = { orderId: 'o-1', amount: 12.5 }
const charge = { topic: 'payment-commands', value: order }
const ship = { topic: 'warehouse-commands', value: { orderId: 'o-1' } }
const paymentSays = (status: string) => ({
  to: 'payment-commands',
  answer: { topic: 'payment-events', value: { orderId: 'o-1', status } },
})

const courses: { readonly [file: string]: readonly Course[] } = {
  'order.yaml': [
    {
      title: 'an order that is paid and shipped',
      start: { topic: 'orders', value: order },
      key: 'o-1',
      answers: [
        paymentSays('paid'),
        { to: 'warehouse-commands', answer: { topic: 'warehouse-events', value: { orderId: 'o-1', tracking: 'T-1' } } },
      ],
      commands: [charge, ship],
      end: { status: 'COMPLETED', output: { orderId: 'o-1', paymentStatus: 'paid', tracking: 'T-1' } },
    },
    {
      title: 'an order whose payment is declined waits for a person, and nothing is shipped',
      start: { topic: 'orders', value: order },
      key: 'o-1',
      answers: [paymentSays('declined')],
      commands: [charge],
      end: { status: 'EXECUTING', incident: { task: 'approved', code: 'no-case' } },
    },
  ],
}

const files = await readWorkflowFiles(directory)

test('every example has a course here, and every course an example', () => {
  assert.deepEqual(files.map(({ file }) => relative(directory, file)).sort(), Object.keys(courses).sort())
})

for (const { file, text } of files) {
  const name = relative(directory, file)
  suite(name, () => {
    test('is valid by itself, and names the schema where editors find it', () => {
      const { workflows, problems } = loadWorkflows([{ file, text }], { handlers: [] })
      assert.deepEqual(problems, [])
      assert.equal(workflows.length, 1)
      const schema = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text)?.[1] ?? ''
      assert.ok(schema !== '' && existsSync(join(dirname(file), schema)))
    })

    for (const course of courses[name] ?? []) {
      test(course.title, async (t) => {
        const worker = await workerWith(t, file)
        await send(worker, course.start)
        for (const { to, answer } of course.answers) {
          await firstRecord(worker, to)
          await send(worker, answer)
        }
        const workflow = worker.view().workflows[0]?.name ?? ''
        const instance = await settled(worker, workflow, course.key)
        const incident = instance.tasks.find(({ hasIncident }) => hasIncident)
        assert.equal(instance.status, course.end.status)
        assert.deepEqual(instance.output, course.end.output)
        assert.deepEqual(incident && { task: incident.name, code: incident.error?.code }, course.end.incident)
        const topics = new Set(courses[name]?.flatMap(({ commands }) => commands.map(({ topic }) => topic)))
        const sent: Sent[] = []
        for (const topic of topics) {
          for (const { value } of await recordsOf(worker, topic)) sent.push({ topic, value })
        }
        assert.deepEqual(sent, course.commands)
      })
    }
  })
}

/** A worker as `start` makes it, with one workflow file and a data directory of its own. */
async function workerWith(t: TestContext, file: string): Promise<WorkerFace> {
  const workingDirectory = mkdtempSync(join(tmpdir(), 'dw-examples-'))
  let running: RunningWorker | undefined
  t.after(async () => {
    await running?.stop()
    rmSync(workingDirectory, { recursive: true, force: true })
  })
  mkdirSync(join(workingDirectory, 'workflows'))
  cpSync(file, join(workingDirectory, 'workflows', relative(directory, file)), { recursive: true })
  const flags = { port: '0', partitions: '2', logLevel: 'silent' }
  running = await startWorker(loadConfig({ flags, env: {}, workingDirectory }), { jsonLogs: true })
  return running.worker
}

async function send(worker: WorkerFace, { topic, value }: Sent): Promise<void> {
  const results = await worker.produce(topic, [{ value: Buffer.from(JSON.stringify(value)) }])
  assert.ok(results?.[0] !== undefined && 'offset' in results[0])
}

async function recordsOf(worker: WorkerFace, topic: string): Promise<readonly RecordView[]> {
  const found: RecordView[] = []
  for (const view of await worker.listTopics()) {
    if (view.name !== topic) continue
    for (const { partition, earliest } of view.partitions) {
      const page = await worker.consume({ topic, partition, offset: earliest, limit: 100, waitMs: 0 })
      found.push(...(page?.records ?? []))
    }
  }
  return found
}

async function firstRecord(worker: WorkerFace, topic: string): Promise<void> {
  await eventually(`a record of ${topic}`, async () => (await recordsOf(worker, topic))[0])
}

/** The instance once it has ended or has an incident. */
function settled(worker: WorkerFace, workflow: string, key: string): Promise<InstanceView> {
  return eventually(`the end of ${workflow}/${key}`, async () => {
    const instance = await worker.findInstanceByKey(workflow, key)
    if (instance === undefined) return undefined
    return instance.endedAt !== undefined || instance.incidents > 0 ? instance : undefined
  })
}

async function eventually<Found>(what: string, find: () => Promise<Found | undefined>): Promise<Found> {
  for (let looks = 0; looks < 1_000; looks++) {
    const found = await find()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`${what} did not come`)
}
