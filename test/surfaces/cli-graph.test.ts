import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { instance } from '@viz-js/viz'
import { drawingOf } from '../../src/definition/drawing.ts'
import type { Workflow } from '../../src/definition/workflow.ts'
import { loadWorkflows } from '../../src/definition/parse.ts'
import { dotOf, svgOf } from '../../src/cli/drawing/dot.ts'
import { mermaidOf } from '../../src/cli/drawing/mermaid.ts'
import { commandLine } from '../support/command-line.ts'

/** One of every kind of task but those that are not run yet. */
const everything = `workflow: everything
monitor: { completeBy: 2h, then: { type: book/alarm } }
tasks:
  - name: payment
    type: process
    monitor: { completeBy: 1h, then: { type: kafka-command, topic: reminders, value: late } }
    onFailure: [{ code: declined, next: [sorry] }, { when: "input.amount > 100", next: [sorry] }]
    tasks:
      - name: charge
        type: kafka-command
        topic: payments
        value: 1
        compensate: { type: kafka-command, topic: payments, value: refund }
      - name: charged
        type: kafka-listener
        topic: payment-events
        correlate: { message: message.key, instance: instance.key }
  - { name: sorry, type: stop, dependsOn: [payment], reason: not paid }
  - name: risk
    type: decision
    dependsOn: [payment]
    cases:
      - { when: "input.score > 8", next: [both] }
      - { when: "input.score > 5", next: [each, both] }
    default: [each]
  - name: both
    type: parallel
    dependsOn: [risk]
    join: any
    branches:
      - - { name: left, type: trigger, delay: 5m }
      - - { name: right, type: set, set: { x: 1 } }
        - { name: further, type: book/ship }
  - name: each
    type: for-each
    dependsOn: [risk]
    items: "\${ input.lines }"
    tasks:
      - { name: child, type: workflow, workflow: parcel }
  - name: poll
    type: interval
    dependsOn: [both, each]
    every: 1m
    until: tasks.ask.output == 'yes'
    run: { name: ask, type: book/ask }
  - { name: end, type: fail, reason: over }
`

const golden = `flowchart TD
  accTitle: everything
  subgraph t0["payment #40;process#41;"]
    t2[/"charge<br/>kafka-command payments"/]
    t3[/"charge-compensate<br/>kafka-command payments"/]
    t4[\\"charged<br/>kafka-listener payment-events"\\]
  end
  t1[/"payment-monitor<br/>kafka-command reminders"/]
  t5(("sorry<br/>stop not paid"))
  t6{"risk<br/>decision"}
  subgraph t7["both #40;parallel#44; join any#41;"]
    subgraph t8["branch"]
      t9(["left<br/>trigger 5m"])
    end
    subgraph t10["branch"]
      t11["right<br/>set"]
      t12("further<br/>book#47;ship")
    end
  end
  subgraph t13["each #40;for-each#41;"]
    t15[["child<br/>workflow parcel"]]
  end
  subgraph t16["poll #40;interval#41;"]
    t17("ask<br/>book#47;ask")
  end
  t18((("end<br/>fail over")))
  t19("workflow-monitor<br/>book#47;alarm")
  t2 --> t4
  t2 -.-o|"compensate"| t3
  t0 -.->|"declined"| t5
  t0 -.->|"failed if input.amount #62; 100"| t5
  t0 --> t6
  t0 -.-o|"monitor 1h"| t1
  t6 -->|"input.score #62; 8"| t7
  t6 -->|"input.score #62; 5"| t7
  t6 -->|"input.score #62; 5"| t13
  t6 -->|"default"| t13
  t11 --> t12
  t7 --> t16
  t13 --> t16
  t16 --> t18
`

function workflowOf(text: string): Workflow {
  const { workflows, problems } = loadWorkflows([{ file: 'f.yaml', text }])
  assert.deepEqual(problems, [])
  return workflows[0]!
}

test('Mermaid has scopes as subgraphs, types as shapes, cases as labels, and dashed edges for failures', () => {
  assert.equal(mermaidOf(drawingOf(workflowOf(everything))), golden)
})

test('DOT is read by Graphviz with the same tasks, scopes as clusters, and edges that end at their borders', async () => {
  const viz = await instance()
  const dot = dotOf(drawingOf(workflowOf(everything)))
  const { status, errors } = viz.render(dot, { format: 'svg' })
  assert.deepEqual([status, errors], ['success', []])
  const graph: {
    name: string
    objects: readonly { name: string; label: string; nodes?: readonly number[] }[]
    edges: readonly { tail: number; head: number; style?: string; label?: string; ltail?: string; lhead?: string }[]
  } = JSON.parse(viz.renderString(dot, { format: 'json0' }))
  assert.equal(graph.name, 'everything')
  const clusters = graph.objects.filter(({ nodes }) => nodes !== undefined)
  assert.deepEqual(
    clusters.map(({ label }) => label),
    ['payment (process)', 'both (parallel, join any)', 'branch', 'branch', 'each (for-each)', 'poll (interval)'],
  )
  const [charged, declined] = [
    graph.edges.find(({ label }) => label === 'declined'),
    graph.edges.find(({ style }) => style === 'dashed'),
  ]
  assert.equal(charged, declined)
  assert.equal(declined?.ltail, 'cluster_t0')
  assert.deepEqual(
    graph.edges.filter(({ lhead }) => lhead === 'cluster_t13').map(({ label }) => label),
    ['input.score > 5', 'default'],
  )
})

const hostile = [
  '"]; end; x["',
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '&lt;b&gt; &#60; &quot; #quot; #60;',
  String.raw`\" \\ \n \N \G \l`,
  '`**markdown**` _a_ 1. one - two',
  '--> t0\n  click t0 "javascript:alert(1)"\n%%{init: {"securityLevel":"loose"}}%%',
  '|"| }} ]] )) /] {{ ${ "a" }',
  'end',
  '\u0000\u001b[31m\u202e\ud800 é 漢 🚚',
  '-->]]>]]&gt; <!-- -- -->',
]

/** A line of Mermaid with `…` for what may stand in a text: letters, digits, blanks, signs within words, codes. */
function syntaxOf(line: string): string {
  const text = '(?:[A-Za-z0-9 ]|(?<=[A-Za-z0-9])[-._](?=[A-Za-z0-9])|#\\d+;)+'
  const inQuotes = new RegExp(`(?<=")${text}(?=["<])|(?<=>)${text}(?=")|(?<=accTitle: )${text}$`, 'g')
  return line.trim().replaceAll(inQuotes, '…')
}

test('no text of a file breaks out of the syntax of a drawing', async () => {
  const viz = await instance()
  const plain = { name: 'w', members: [], edges: [] }
  for (const text of hostile) {
    const drawing = {
      ...plain,
      name: text,
      description: text,
      members: [
        { id: 't0', name: text, type: 'fail' as const, about: text, description: text },
        {
          id: 't1',
          title: text,
          description: text,
          members: [{ id: 't2', name: text, type: 'stop' as const, about: text }],
        },
      ],
      edges: [{ from: 't0', to: 't1', label: text, kind: 'failure' as const }],
    }
    assert.deepEqual(mermaidOf(drawing).trimEnd().split('\n').map(syntaxOf), [
      'flowchart TD',
      'accTitle: …',
      't0((("…<br/>…")))',
      'subgraph t1["…"]',
      't2(("…<br/>…"))',
      'end',
      't0 -.->|"…"| t1',
    ])
    const { status, errors } = viz.render(dotOf(drawing), { format: 'svg' })
    assert.deepEqual([status, errors.filter(({ level }) => level === 'error')], ['success', []], dotOf(drawing))
    const graph = JSON.parse(viz.renderString(dotOf(drawing), { format: 'json0' }))
    const objects = graph.objects.map(({ name }: { name: string }) => name)
    assert.deepEqual([objects, graph.edges.length], [['cluster_t1', 't0', 't2'], 1])
    const tags = [...(await svgOf(drawing)).replaceAll(/<!--[^]*?-->/g, '').matchAll(/<\/?([^\s>/]+)([^>]*)>/g)]
    const names = ['?xml', '!DOCTYPE', 'svg', 'g', 'title', 'a', 'polygon', 'path', 'polyline', 'ellipse', 'text']
    assert.deepEqual(
      tags.filter(([, name = '']) => !names.includes(name)),
      [],
    )
    const attributes = tags.map(([, , rest = '']) => rest.replaceAll(/"[^"]*"/g, '')).join(' ')
    assert.doesNotMatch(attributes, /\son|href/)
  }
})

test('graph draws the one workflow there is, or the one that is named', async (t) => {
  const shell = commandLine(t)
  writeFileSync(join(shell.directory, 'a.yaml'), everything)
  const { code, stdout } = await shell.type('graph', 'a.yaml')
  assert.deepEqual([code, stdout], [0, golden])
  writeFileSync(join(shell.directory, 'b.yaml'), 'workflow: parcel\ntasks: [{ name: a, type: set, set: { x: 1 } }]\n')
  const several = await shell.type('graph', '.')
  assert.deepEqual([several.code, several.stdout], [2, ''])
  assert.match(several.stderr, /--workflow; there are: everything, parcel/)
  assert.match((await shell.type('graph', '.', '--workflow', 'parcle')).stderr, /Did you mean parcel\?/)
  assert.match((await shell.type('graph', '.', '--workflow', 'parcel')).stdout, /t0\["a<br\/>set"\]/)
  assert.match(
    (await shell.type('graph', '.', '--workflow', 'parcel', '--format', 'dot')).stdout,
    /^digraph "parcel" \{/,
  )
  assert.match((await shell.type('graph', 'a.yaml', '--format', 'svg')).stdout, /<svg [^]*<\/svg>\n$/)
  assert.equal((await shell.type('graph', 'a.yaml', '--format', 'png')).code, 2)
})

test('a file with problems is not drawn, and keeps no other from being drawn', async (t) => {
  const shell = commandLine(t)
  writeFileSync(join(shell.directory, 'a.yaml'), everything)
  writeFileSync(join(shell.directory, 'b.yaml'), 'workflow: [\n')
  const bad = await shell.type('graph', 'b.yaml')
  assert.deepEqual([bad.code, bad.stdout], [1, ''])
  assert.match(bad.stderr, /^b\.yaml:\d+:\d+ {2}DW_YAML/)
  assert.equal((await shell.type('graph', '.', '--workflow', 'everything')).stdout, golden)
  assert.equal((await shell.type('graph', 'missing')).code, 2)
})
