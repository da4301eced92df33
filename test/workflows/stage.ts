// Plays courses: a real daemon that serves the whole of workflows/ at once, and beside it the outside, which knows topics,
// signals and one HTTP API, and reaches the daemon as any program does.
//
// Services are asked for one command after the other, so a course is a story and not a race; what it must not do is shown
// by its end, where every record of every topic counts that the outside did not write.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { after, before, suite, test } from 'node:test'
import type { Json } from '../../src/base/json.ts'
import { readWorkflowFiles } from '../../src/definition/folder.ts'
import type { InstanceView, RecordView } from '../../src/runtime/face.ts'
import { Site, type Daemon } from '../support/daemon.ts'
import { api, type Course, type Step } from './course.ts'
import { gallery } from './gallery.ts'

export const directory = join(import.meta.dirname, '../../workflows')

/** Where a daemon stands. Its topics have a prefix where others use the same broker. */
export interface Place {
  readonly flags: readonly string[]
  readonly app: string
  readonly prefix: string
}

/** Registers the tests of every course, by two daemons: one for the files as they are, one for those in a hurry. */
export function playGallery(place: (name: string) => Place): void {
  for (const inAHurry of [false, true]) {
    suite(inAHurry ? 'in a hurry' : 'as written', () => {
      let stage: Stage | undefined
      before(async () => (stage = await Stage.open(place(inAHurry ? 'hurry' : 'written'), inAHurry)))
      after(() => stage?.close())
      for (const [file, { courses }] of Object.entries(gallery)) {
        for (const course of courses)
          if ((course.inAHurry ?? false) === inAHurry)
            test(`${file}: ${course.title}`, async () => {
              assert.ok(stage !== undefined)
              await stage.play(course)
            })
      }
    })
  }
}

/** The text of a file, with its times replaced. @throws AssertionError A time is not in it. */
export function hurried(name: string, text: string): string {
  let replaced = text
  for (const [written, short] of Object.entries(gallery[name]?.hurry ?? {})) {
    assert.ok(replaced.includes(written), `${name} has no ${written}`)
    replaced = replaced.replaceAll(written, short)
  }
  return replaced
}

/** Topics that a service or a person writes to in some course. */
const outsideTopics = new Set(
  Object.values(gallery).flatMap(({ courses }) =>
    courses.flatMap(({ steps }) =>
      steps.flatMap((step) => {
        if (step.does === 'produce') return [step.sent.topic]
        return step.does === 'see' && step.answer !== undefined ? [step.answer.topic] : []
      }),
    ),
  ),
)

export class Stage {
  readonly #daemon: Daemon
  readonly #site: Site
  readonly #place: Place
  readonly #api: Api

  private constructor(daemon: Daemon, site: Site, place: Place, slowApi: Api) {
    this.#daemon = daemon
    this.#site = site
    this.#place = place
    this.#api = slowApi
  }

  static async open(place: Place, inAHurry: boolean): Promise<Stage> {
    const site = new Site()
    for (const { file } of await readWorkflowFiles(directory)) {
      const name = relative(directory, file)
      const text = readFileSync(file, 'utf8')
      const played = inAHurry ? hurried(name, text) : text
      site.write(`workflows/${name}`, played.replaceAll(/topic: ([\w-]+)/g, `topic: ${place.prefix}$1`))
    }
    const slowApi = await openApi()
    const flags = ['--app', place.app, '--partitions', '3', '--http-allow', slowApi.host]
    const daemon = site.launch(...flags, ...place.flags)
    const stage = new Stage(daemon, site, place, slowApi)
    try {
      await daemon.ready()
      assert.deepEqual(daemon.report.definitionProblems, [])
      return stage
    } catch (error) {
      await stage.close()
      throw error
    }
  }

  get url(): string {
    return this.#daemon.url
  }

  get apiHost(): string {
    return this.#api.host
  }

  async close(): Promise<void> {
    await this.#site.close()
    this.#api.close()
  }

  /** Plays a course to its end. @throws AssertionError It ended otherwise. */
  async play(course: Course): Promise<void> {
    const seen = new Set<string>()
    // Known from the start, but for what a schedule starts.
    const key = course.key ?? (await this.#firstKeyOf(course.workflow))
    for (const step of course.steps) await this.#take(step, course.workflow, key, seen)
    const { end } = course
    const { id } = await this.#daemon.instance(course.workflow, key)
    const instance = await this.#daemon.client.findInstance(id)
    assert.ok(instance !== undefined)
    const incident = instance.tasks.find(({ hasIncident }) => hasIncident)
    assert.deepEqual(
      {
        status: instance.status,
        output: instance.output,
        error: instance.error?.code,
        incident: incident && { task: incident.name, code: incident.error?.code },
        tasks: Object.fromEntries(Object.keys(end.tasks ?? {}).map((name) => [name, statusOf(instance, name)])),
      },
      { output: undefined, error: undefined, incident: undefined, tasks: {}, ...end },
    )
    assert.deepEqual(
      byTopicAndKey(await this.#commandsOf(key)),
      byTopicAndKey(course.commands(key).map(([topic, commandKey, value]) => ({ topic, key: commandKey, value }))),
    )
  }

  async #take(step: Step, workflow: string, key: string, seen: Set<string>): Promise<void> {
    const { client } = this.#daemon
    switch (step.does) {
      case 'produce':
        return this.#produce(step.sent.topic, step.sent.value, step.sent.key)
      case 'run':
        await client.startInstance({ workflow, key, input: this.#atApi(step.input) }, `${workflow}/${key}`)
        return
      case 'signal': {
        const { id } = await this.#find(workflow, key, () => true)
        return client.operate(id, 'signal', { name: step.name, payload: step.payload })
      }
      case 'see': {
        const command = await this.#next(step.topic, key, seen)
        if (step.answer === undefined) return
        return this.#produce(step.answer.topic, step.answer.value(Object(command.value)))
      }
      case 'look':
        await this.#find(workflow, key, ({ waitingAt }) => String(waitingAt) === String(step.tasks))
        return
      default:
        step satisfies never
    }
  }

  async #produce(topic: string, value: Json, key?: string): Promise<void> {
    const record = { value: this.#atApi(value), ...(key === undefined ? {} : { key }) }
    const [answer] = await this.#daemon.client.produce(this.#place.prefix + topic, [record])
    assert.equal(answer?.error, null)
  }

  #find(workflow: string, key: string, isSo: (instance: InstanceView) => boolean): Promise<InstanceView> {
    return this.#daemon.instance(workflow, key, isSo)
  }

  async #firstKeyOf(workflow: string): Promise<string> {
    return this.#daemon.until(async () => {
      const { items } = await this.#daemon.client.listInstances({ workflow, limit: 1_000 })
      return items.at(-1)?.key
    })
  }

  async #next(topic: string, key: string, seen: Set<string>): Promise<RecordView> {
    const found = await this.#daemon.until(
      async () => {
        const records = await this.#daemon.records(this.#named(topic))
        return records.find((record) => isOf(key, record) && !seen.has(placeOf(topic, record)))
      },
      () => Promise.resolve(`a command of ${topic} for ${key}`),
    )
    seen.add(placeOf(topic, found))
    return found
  }

  /** What the daemon produced for an instance and its children, dead letters included. */
  async #commandsOf(key: string): Promise<{ topic: string; key: string; value: Json }[]> {
    const { app, prefix } = this.#place
    const commands: { topic: string; key: string; value: Json }[] = []
    for (const { name } of await this.#daemon.client.listTopics()) {
      const isDeadLetters = name === `${app}.dead-letter`
      if (!isDeadLetters && (name.startsWith(`${app}.`) || !name.startsWith(prefix))) continue
      const topic = isDeadLetters ? 'dead-letter' : name.slice(prefix.length)
      if (outsideTopics.has(topic)) continue
      for (const record of await this.#daemon.records(name))
        if (isOf(key, record)) commands.push({ topic, key: String(record.key), value: record.value })
    }
    return commands
  }

  #named(topic: string): string {
    return topic === 'dead-letter' ? `${this.#place.app}.dead-letter` : this.#place.prefix + topic
  }

  #atApi(value: Json): Json {
    return JSON.parse(JSON.stringify(value).replaceAll(api, `http://${this.#api.host}`)) as Json
  }
}

const placeOf = (topic: string, { partition, offset }: RecordView): string => `${topic}/${partition}@${offset}`
/** Children have the keys of their parents, and more behind a slash. */
const isOf = (key: string, record: RecordView): boolean =>
  record.key === key || String(record.key).startsWith(`${key}/`)
/** A task that nothing is known of has not started. */
const statusOf = (instance: InstanceView, name: string) =>
  instance.tasks.find((task) => task.name === name)?.status ?? 'NOT_STARTED'

function byTopicAndKey(records: readonly { readonly topic: string; readonly key: string; readonly value: Json }[]): {
  readonly [place: string]: readonly Json[]
} {
  const found: { [place: string]: Json[] } = {}
  for (const { topic, key, value } of records) (found[`${topic} ${key}`] ??= []).push(value)
  return found
}

interface Api {
  readonly host: string
  close(): void
}

/** Says what `api` says of it. */
async function openApi(): Promise<Api> {
  const calls = new Map<string, number>()
  const server = createServer(({ url = '' }, response) => {
    const count = (calls.get(url) ?? 0) + 1
    calls.set(url, count)
    const doneFrom = Number(/^\/nth\/(\d+)\//.exec(url)?.[1] ?? 1)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ status: count < doneFrom ? 'busy' : 'done', rows: count }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { host: `127.0.0.1:${port}`, close: () => void server.close() }
}
