// What is in deploy/ for people on call: each panel of the dashboard and each alert asks for metrics and labels that a
// worker tells, every metric is shown somewhere, and what is to be typed can be typed.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test, type TestContext } from 'node:test'
import { parse } from 'yaml'
import { metricTable, type MetricDefinition } from '../../src/runtime/metrics/metric-table.ts'
import { commandLine } from '../support/command-line.ts'
import { Site } from '../support/daemon.ts'
import { readPromql } from '../support/promql.ts'
import { repository } from './checkout.ts'

interface Target {
  readonly expr: string
  readonly legendFormat: string
  readonly datasource: { readonly uid: string }
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: { readonly uid: string }
  readonly targets?: readonly Target[]
}

interface Variable {
  readonly name: string
  readonly type: string
  readonly query: unknown
  readonly definition?: string
}

interface Dashboard {
  readonly title: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
}

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly [name: string]: string }
}

const read = (file: string): string => readFileSync(`${repository}/${file}`, 'utf8')
const dashboard = JSON.parse(read('deploy/grafana/dagger-worker.json')) as Dashboard
const { groups } = parse(read('deploy/prometheus/alerts.yaml')) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[]
}
const rules = groups.flatMap((group) => group.rules)
const panels = dashboard.panels.filter(({ type }) => type !== 'row')
const definitions: readonly MetricDefinition[] = Object.values(metricTable)

/** What Prometheus itself puts on every series. */
const ofPrometheus = ['job', 'instance']
/** Shown in no panel and asked for by no rule, each with its reason. */
const notShown: { readonly [metric: string]: string } = {}

/** The metric of the table that a name in PromQL is of; undefined: there is none. */
function definitionOf(metric: string): MetricDefinition | undefined {
  const of = (name: string) => definitions.find((definition) => definition.name === name)
  const histogram = of(metric.replace(/_(?:bucket|sum|count)$/, ''))
  return histogram?.kind === 'histogram' ? (metric === histogram.name ? undefined : histogram) : of(metric)
}

function labelsOf(metric: string): readonly string[] {
  if (metric === 'up') return ofPrometheus
  const labels = definitionOf(metric)?.labels ?? []
  return [...labels, ...ofPrometheus, ...(metric.endsWith('_bucket') ? ['le'] : [])]
}

/** What Grafana puts in the place of its variables. */
const filledIn = (expr: string): string => expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, 'x')

/** What an expression asks for that nobody tells. */
function strangersIn(expr: string, legend = ''): readonly string[] {
  const { asked, grouping } = readPromql(filledIn(expr))
  const strangers = asked.flatMap(({ metric, labels }) => {
    if (metric !== 'up' && definitionOf(metric) === undefined) return [metric]
    return labels.filter((label) => !labelsOf(metric).includes(label)).map((label) => `${metric}{${label}}`)
  })
  const known = asked.flatMap(({ metric }) => labelsOf(metric))
  const shown = Array.from(legend.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)/g), ([, label]) => label!)
  return [...strangers, ...[...grouping, ...shown].filter((label) => !known.includes(label))]
}

const askedBy = (exprs: readonly string[]): ReadonlySet<string> =>
  new Set(
    exprs.flatMap((expr) => readPromql(filledIn(expr)).asked.map(({ metric }) => definitionOf(metric)?.name ?? '')),
  )

/** Fails where a command line in a text is none of the program: its command, or a flag of it. */
async function checkCommands(t: TestContext, texts: readonly string[]): Promise<void> {
  const { type } = commandLine(t)
  for (const text of texts) {
    const words = text
      .replaceAll(/\{\{.*?\}\}/g, 'X')
      .split(/\s+/)
      .slice(1)
    const command = words.slice(0, words.findIndex((word) => !/^[a-z-]+$/.test(word) || word.startsWith('--')) >>> 0)
    const { code, stdout } = await type(...command, '--help')
    const used = /^Usage: dagger-worker ([a-z- ]*?) ?[[<]/.exec(stdout)?.[1]?.split(' ') ?? []
    assert.equal(code, 0, text)
    assert.ok(used[0] !== '' && used.every((word, index) => word === command[index]), `${text}: ${stdout}`)
    assert.ok(!stdout.includes('\nCommands:'), `${text} does nothing by itself`)
    for (const flag of words.filter((word) => word.startsWith('--')))
      assert.ok(stdout.includes(flag), `${text}: ${flag}`)
  }
}

suite('the dashboard', () => {
  test('can be laid out: ids of their own, places that do not overlap, and a data source of choice', () => {
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
    const taken = new Map<string, string>()
    for (const { title, gridPos } of dashboard.panels) {
      assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24, title)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.equal(taken.get(`${x}/${y}`), undefined, `${title} lies on another panel`)
          taken.set(`${x}/${y}`, title)
        }
      }
    }
    const [source] = dashboard.templating.list
    assert.deepEqual([source?.name, source?.type, source?.query], ['datasource', 'datasource', 'prometheus'])
    for (const { title, datasource, targets = [] } of panels) {
      assert.ok(targets.length > 0, title)
      for (const each of [{ datasource }, ...targets]) assert.equal(each.datasource?.uid, '${datasource}', title)
    }
    assert.deepEqual(
      dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title),
      ['Overview', 'Behind', 'Throughput', 'Latency', 'Incidents', 'Handlers', 'Partitions', 'Process'],
    )
  })

  test('asks for what a worker tells, of the workers that are chosen, and every panel says what to do', () => {
    const variables = dashboard.templating.list.map(({ name }) => name)
    for (const { title, description = '', targets = [] } of panels) {
      assert.match(description, /^[A-Za-z`].{60,}[.?]$/s, title)
      for (const { expr, legendFormat } of targets) {
        assert.deepEqual(strangersIn(expr, legendFormat), [], `${title}: ${expr}`)
        for (const { metric, labels } of readPromql(filledIn(expr)).asked)
          for (const label of ofPrometheus) assert.ok(labels.includes(label), `${title}: ${metric} of all ${label}s`)
        for (const [, name] of expr.matchAll(/\$(?!__rate_interval)(\w+)/g)) assert.ok(variables.includes(name!), title)
      }
    }
    for (const { definition } of dashboard.templating.list) {
      const metric = /^label_values\((\w+)/.exec(definition ?? '')?.[1]
      assert.ok(definition === undefined || definitionOf(metric ?? '') !== undefined, definition)
    }
  })

  test('shows every metric, or the reason stands here', () => {
    const shown = askedBy(panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)))
    const left = definitions.map(({ name }) => name).filter((name) => !shown.has(name))
    assert.deepEqual(left, Object.keys(notShown))
  })

  test('names commands that there are', async (t) => {
    const texts = panels.flatMap(({ description = '' }) =>
      Array.from(description.matchAll(/`(dagger-worker [^`]+)`/g), ([, text]) => text!),
    )
    assert.ok(texts.length > 5)
    await checkCommands(t, texts)
  })
})

suite('the alerts', () => {
  test('ask for what a worker tells, and say what it is, what it means and what to type', () => {
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
    for (const { alert, expr, labels, annotations } of rules) {
      assert.match(alert, /^DaggerWorker[A-Z]\w+$/)
      assert.deepEqual(strangersIn(expr, Object.values(annotations).join(' ')), [], alert)
      for (const { metric, labels: selected } of readPromql(expr).asked)
        assert.ok(selected.includes('job'), `${alert}: ${metric} of every job`)
      assert.ok(['page', 'ticket'].includes(labels.severity), alert)
      assert.deepEqual(Object.keys(annotations), ['summary', 'description', 'runbook'], alert)
      assert.match(annotations['runbook']!, /^dagger-worker /, alert)
    }
  })

  test('cover what a person on call must hear of', () => {
    const asked = askedBy(rules.map(({ expr }) => expr))
    for (const name of [
      'ready',
      'sourceLagSeconds',
      'incidents',
      'deadLetters',
      'handlerSeconds',
      'partitions',
    ] as const)
      assert.ok(asked.has(metricTable[name].name), name)
    for (const name of ['eventLoopDelay', 'volumeFreeBytes', 'copies', 'restoreSecondsLeft', 'transactions'] as const)
      assert.ok(asked.has(metricTable[name].name), name)
  })

  test('name commands that there are', async (t) => {
    await checkCommands(
      t,
      rules.map(({ annotations }) => annotations['runbook']!),
    )
  })

  test('are tested by promtool on metrics that there are', () => {
    const { tests } = parse(read('deploy/prometheus/alerts.test.yaml')) as {
      readonly tests: readonly {
        readonly input_series: readonly { readonly series: string }[]
        readonly alert_rule_test: readonly { readonly alertname: string }[]
      }[]
    }
    for (const { input_series: series, alert_rule_test: expected } of tests) {
      for (const each of series) assert.deepEqual(strangersIn(each.series), [], each.series)
      for (const { alertname } of expected)
        assert.ok(
          rules.some(({ alert }) => alert === alertname),
          alertname,
        )
    }
  })
})

test('what nobody tells is found', () => {
  const text = 'dagger_worker_ready'
  assert.deepEqual(strangersIn(`${text}{job="x"}`, '{{instance}}'), [])
  assert.deepEqual(strangersIn('dagger_worker_reddy'), ['dagger_worker_reddy'])
  assert.deepEqual(strangersIn(`${text}{topic="x"}`), [`${text}{topic}`])
  assert.deepEqual(strangersIn(`sum by (topic) (${text})`), ['topic'])
  assert.deepEqual(strangersIn(text, '{{topic}}'), ['topic'])
  assert.deepEqual(strangersIn('dagger_worker_batch_inputs'), ['dagger_worker_batch_inputs'])
  assert.deepEqual(strangersIn('dagger_worker_batch_inputs_sum'), [])
  assert.throws(() => strangersIn('sum by ('), SyntaxError)
})

test('a worker that runs tells every metric of the table, with the labels that stand there', async (t) => {
  const site = Site.of(t, {
    'workflows/shop.yaml': `
workflow: shop
start: [{ topic: orders, from: earliest }]
input: { type: object, required: [n] }
tasks:
  - { name: charge, type: charge, with: { n: "\${ input.n }" } }
  - { name: rest, type: trigger, delay: 1ms }
  - name: paid
    type: kafka-listener
    topic: payments
    correlate: { message: message.value.n, instance: input.n }
`,
    'handlers/charge.ts': `export default async () => { await new Promise((resolve) => setTimeout(resolve, 1)); return null }`,
  })
  const daemon = await site.start()
  await daemon.client.produce('orders', [
    { key: 'a', value: { n: 'a' } },
    { key: 'b', value: {} },
  ])
  const told = await daemon.until(async () => {
    const text = await (await fetch(`${daemon.url}/metrics`)).text()
    return /^dagger_worker_instances\{/m.test(text) &&
      /^dagger_worker_data_volume_bytes \d/m.test(text) &&
      /dead_letters_total\{/.test(text) &&
      /timer_lateness_seconds_count [1-9]/.test(text)
      ? text
      : undefined
  })
  const types = new Map(Array.from(told.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name, kind]) => [name, kind]))
  assert.deepEqual(
    [...types],
    definitions.map(({ name, kind }) => [name, kind]),
  )
  const silent = new Set(definitions.map(({ name }) => name))
  for (const [, name, labels = ''] of told.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const definition = definitionOf(name!)
    assert.ok(definition !== undefined, name)
    silent.delete(definition.name)
    const names = Array.from(labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g), ([, label]) => label!).filter(
      (label) => label !== 'le',
    )
    assert.deepEqual(names, [...definition.labels], name)
  }
  // What this worker has nothing to tell of: it restores nothing, keeps no copies, and met no fault.
  assert.deepEqual([...silent].map((name) => name.replace('dagger_worker_', '')).sort(), [
    'copy_lag_records',
    'handler_runs',
    'handler_runs_waiting',
    'partition_faults_total',
    'restore_left_records',
    'restore_left_seconds',
    'restore_records_per_second',
  ])
})
