import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DefinitionError } from '../../src/base/errors.ts'
import { readWorkflowFiles } from '../../src/definition/folder.ts'
import { compileWorkflow, loadWorkflows } from '../../src/definition/parse.ts'
import type { Workflow } from '../../src/definition/workflow.ts'

const load = (text: string, handlers?: readonly string[]) =>
  loadWorkflows([{ file: 'f.yaml', text }], handlers === undefined ? {} : { handlers })

const workflow = (text: string): Workflow => {
  const { workflows, problems } = load(text)
  assert.deepEqual(problems, [])
  return workflows[0]!
}

/** A workflow whose tasks are these lines, the first of them in line 3. */
const tasks = (...lines: readonly string[]): string =>
  `workflow: w\ntasks:\n${lines.map((line) => `  ${line}`).join('\n')}\n`
const set = (name: string, more = ''): string => `- { name: ${name}, type: set, set: { x: 1 }${more} }`

test('the example order is complete and is the same workflow when it comes back from the log', async () => {
  const { workflows, problems } = loadWorkflows(await readWorkflowFiles('workflows'), { handlers: [] })
  assert.deepEqual(problems, [])
  const order = workflows.find((candidate) => candidate.name === 'order')!
  assert.deepEqual(
    order.tasks.map((task) => [task.index, task.name, task.type, task.scope, task.dependsOn]),
    [
      [0, 'payment', 'process', undefined, []],
      [1, 'charge', 'kafka-command', 'payment', []],
      [2, 'charged', 'kafka-listener', 'payment', ['charge']],
      [3, 'approved', 'decision', undefined, ['payment']],
      [4, 'shipping', 'process', undefined, ['approved']],
      [5, 'ship', 'kafka-command', 'shipping', []],
      [6, 'shipped', 'kafka-listener', 'shipping', ['ship']],
    ],
  )
  const again = compileWorkflow(order.source)
  assert.equal(again.version, order.version)
  assert.equal(again.source, order.source)
  assert.equal(JSON.stringify(again), JSON.stringify(order))
})

test('defaults are filled in', () => {
  const {
    retentionMs,
    onRunning,
    start,
    tasks: all,
  } = workflow(
    `workflow: w
start: [{ topic: t }]
tasks:
  - { name: listen, type: kafka-listener, topic: t, correlate: { message: message.key, instance: instance.key } }
  - { name: call, type: billing/charge }
  - { name: part, type: process, tasks: [{ name: in, type: set, set: { x: 1 } }] }
`,
  )
  assert.deepEqual([retentionMs, onRunning, start[0]?.from], [86_400_000, 'ignore', 'latest'])
  const [listen, call, part] = all
  assert.deepEqual(listen?.retry, {
    maxAttempts: 1,
    initialIntervalMs: 1_000,
    backoffCoefficient: 2,
    maxIntervalMs: 60_000,
    jitter: 0.2,
    nonRetryable: [],
  })
  assert.equal(listen.type === 'kafka-listener' && listen.keepMs, 3_600_000)
  assert.equal(call?.retry.maxAttempts, 10)
  assert.equal(call.type === 'handler' && call.handler, 'billing/charge')
  assert.deepEqual(
    [listen, call, part].map((task) => task?.onFailure),
    [[{ action: 'incident' }], [{ action: 'incident' }], [{ action: 'fail' }]],
  )
})

test('everything that a task can say arrives', () => {
  const [listen, wait, send, call] = workflow(
    tasks(
      '- name: listen',
      '  type: kafka-listener',
      '  topic: t',
      '  from: earliest',
      '  correlate:',
      '    - { message: message.value.a, instance: input.a }',
      '    - { message: message.value.b, instance: tasks.send.output }',
      '  where: message.value.kind == "x"',
      '  keep: 0s',
      '  match: one',
      '  onExpired: drop',
      '  timeout: 5m',
      '  when: input.a != null',
      '  onFailure: skip',
      '  set: { got: "${ message.value.a }", out: "${ output }" }',
      '  x-owner: us',
      '- { name: wait, type: trigger, delay: "${ vars.got }", dependsOn: [] }',
      '- { name: send, type: kafka-command, topic: "t-${ input.a }", key: k, value: null, partition: 3, headers: { h: "1" } }',
      '- { name: call, type: a, with: [1], timeout: 1s, retry: { maxAttempts: 0, maxElapsed: 1h, nonRetryable: [gone] } }',
    ),
  ).tasks
  assert.ok(
    listen?.type === 'kafka-listener' &&
      wait?.type === 'trigger' &&
      send?.type === 'kafka-command' &&
      call?.type === 'handler',
  )
  assert.deepEqual(
    [listen.from, listen.correlate.length, listen.keepMs, listen.timeoutMs, listen.onFailure[0]?.action],
    ['earliest', 2, 0, 300_000, 'skip'],
  )
  assert.deepEqual([...listen.set!.keys()], ['got', 'out'])
  assert.deepEqual(wait.dependsOn, [])
  assert.equal(wait.delay?.isConstant, false)
  assert.deepEqual(send.topic.evaluate({ input: { a: 'x' } }), 't-x')
  assert.deepEqual([send.value.evaluate({}), send.partition?.evaluate({}), [...send.headers!.keys()]], [null, 3, ['h']])
  assert.deepEqual([call.retry.maxAttempts, call.retry.maxElapsedMs, call.retry.nonRetryable], [0, 3_600_000, ['gone']])
})

test('the address is of the content: layout, comments and order of keys do not count', () => {
  const one = workflow('workflow: w\ntasks: [{ name: a, type: set, set: { x: 1, y: 2 } }]\n')
  const two = workflow('# hello\ntasks:\n  - set: {y: 2, x: 1}\n    type: "set"\n    name: a\nworkflow: w\n')
  const three = workflow('workflow: w\ntasks: [{ name: a, type: set, set: { x: 1, y: 3 } }]\n')
  assert.equal(one.version, two.version)
  assert.notEqual(one.version, three.version)
  assert.match(one.version, /^w@[0-9a-f]{8}$/)
})

/** `at` is the text that the place points at. */
type Case = readonly [title: string, text: string, code: string, at: string, suggestion?: string]

const ahead = (instance: string, more = ''): string =>
  `- { name: l, type: kafka-listener, topic: t, skipAhead: true, correlate: { message: message.key, ${instance} }${more} }`

const cases: readonly Case[] = [
  ['a syntax error', 'workflow: [w\n', 'DW_YAML', ''],
  [
    'an unknown key',
    tasks(set('a'), '- { name: b, type: set, sett: {}, set: { x: 1 } }'),
    'DW_UNKNOWN_KEY',
    'sett',
    'set',
  ],
  ['an unknown key of a workflow', `retension: 1d\n${tasks(set('a'))}`, 'DW_UNKNOWN_KEY', 'retension', 'retention'],
  ['an unknown key of a retry', tasks('- { name: a, type: h, retry: { attempts: 3 } }'), 'DW_UNKNOWN_KEY', 'attempts'],
  ['a missing key', 'tasks: [{ name: a, type: set, set: { x: 1 } }]\n', 'DW_MISSING_KEY', 'tasks'],
  ['a missing topic', tasks('- { name: a, type: kafka-command, value: 1 }'), 'DW_MISSING_KEY', '{ name: a, t'],
  ['a value of the wrong type', tasks('- { name: 7, type: set, set: { x: 1 } }'), 'DW_SCHEMA', '7'],
  ['a value that is none of the words', `onRunning: ignored\n${tasks(set('a'))}`, 'DW_SCHEMA', 'ignored', 'ignore'],
  [
    'a workflow name with a space',
    'workflow: my order\ntasks: [{ name: a, type: set, set: { x: 1 } }]\n',
    'DW_SCHEMA',
    'my',
  ],
  [
    'a topic with an expression where none can be',
    `start: [{ topic: "\${ x }" }]\n${tasks(set('a'))}`,
    'DW_SCHEMA',
    '"${ x }" }]',
  ],
  ['a variable that no expression can name', `vars: { a-b: 1 }\n${tasks(set('a'))}`, 'DW_SCHEMA', 'a-b'],
  ['no tasks at all', 'workflow: w\ntasks: []\n', 'DW_EMPTY', '[]'],
  ['a process with no tasks', tasks('- { name: p, type: process, tasks: [] }'), 'DW_EMPTY', '[] }'],
  ['an empty file', '# soon\n', 'DW_EMPTY', '# soon'],
  ['a repeated task name', tasks(set('a'), set('a', ', dependsOn: []')), 'DW_DUPLICATE_TASK', 'a, ty'],
  [
    'an unknown task in dependsOn',
    tasks(set('charge'), set('b', ', dependsOn: [chrage]')),
    'DW_UNKNOWN_TASK',
    'chrage',
    'charge',
  ],
  [
    'a dependency on another scope',
    tasks('- name: p', '  type: process', '  tasks:', `    ${set('inner')}`, set('b', ', dependsOn: [inner]')),
    'DW_OUT_OF_SCOPE',
    'inner',
    'p',
  ],
  ['a cycle', tasks(set('a', ', dependsOn: [c]'), set('b'), set('c')), 'DW_CYCLE', '[c] }'],
  ['a task that depends on itself', tasks(set('a', ', dependsOn: [a]')), 'DW_CYCLE', '[a] }'],
  [
    'a task that no outcome leads to',
    tasks('- { name: d, type: decision, cases: [{ when: "true", next: [] }, { when: input.x, next: [b] }] }', set('b')),
    'DW_UNREACHABLE',
    '{ name: b, t',
  ],
  [
    'a type with a slip of the pen',
    tasks('- { name: a, type: kafka-comand, topic: t, value: 1 }'),
    'DW_UNKNOWN_TASK_TYPE',
    'kafka-comand',
    'kafka-command',
  ],
  [
    'a listener with no correlation',
    tasks('- { name: a, type: kafka-listener, topic: t }'),
    'DW_NO_CORRELATION',
    '{ name: a, t',
  ],
  [
    'a listener with an empty correlation',
    tasks('- { name: a, type: kafka-listener, topic: t, correlate: [] }'),
    'DW_NO_CORRELATION',
    '[] }',
  ],
  ['a bad duration', `retention: 1 day\n${tasks(set('a'))}`, 'DW_DURATION', '1'],
  ['a timeout of nothing', tasks('- { name: a, type: h, timeout: 0s }'), 'DW_DURATION', '0s'],
  ['a bad delay', tasks('- { name: a, type: trigger, delay: soon }'), 'DW_DURATION', 'soon'],
  ['a bad time', tasks('- { name: a, type: trigger, at: tomorrow }'), 'DW_TIME', 'tomorrow'],
  ['a trigger with neither time nor delay', tasks('- { name: a, type: trigger }'), 'DW_SCHEMA', '{ name: a, t'],
  [
    'a trigger with both',
    tasks('- { name: a, type: trigger, delay: 1s, at: 2030-01-01T00:00:00Z }'),
    'DW_SCHEMA',
    '{ name: a, t',
  ],
  [
    'a command to a topic that cannot be',
    tasks('- { name: a, type: kafka-command, topic: "a b", value: 1 }'),
    'DW_SCHEMA',
    '"a b", value',
  ],
  [
    'two starts that take the same records',
    `start: [{ topic: t }, { topic: t, key: k }]\n${tasks(set('a'))}`,
    'DW_DUPLICATE_START',
    '{ topic: t, ',
  ],
  ['a schema that is none', `input: { type: strin }\n${tasks(set('a'))}`, 'DW_INPUT_SCHEMA', 'strin'],
  [
    'a decision that names a task unknown',
    tasks('- { name: d, type: decision, cases: [{ when: input.x, next: [shp] }] }', set('ship')),
    'DW_UNKNOWN_TASK',
    'shp',
    'ship',
  ],
  [
    'a decision that names a task not behind it',
    tasks(
      '- { name: d, type: decision, cases: [], default: [b] }'.replace('[],', '[{ when: input.x, next: [] }],'),
      set('b', ', dependsOn: []'),
    ),
    'DW_NEXT_NOT_DEPENDENT',
    'b] }',
  ],
  ['an expression that does not parse', tasks(set('a', ', when: "input.x >"')), 'DW_EXPRESSION', '" }'],
  [
    'an expression in braces where bare CEL is due',
    tasks(set('a', ', when: "${ input.x }"')),
    'DW_EXPRESSION',
    '${ input.x }',
  ],
  ['a condition that is no condition', tasks(set('a', ', when: "1 + 1"')), 'DW_EXPRESSION', '"1 + 1" }'],
  [
    'an expression inside text that does not parse',
    tasks('- { name: a, type: set, set: { x: "hi ${ 1 + } you" } }'),
    'DW_EXPRESSION',
    '} you" } }',
  ],
  ['an unknown root', tasks(set('a', ', when: "1 < inptu.x"')), 'DW_UNKNOWN_ROOT', 'inptu.x', 'input'],
  [
    'a task without `tasks.`',
    tasks(set('a'), set('b', ', when: a.output.x')),
    'DW_UNKNOWN_ROOT',
    'a.output.x',
    'tasks.a',
  ],
  ['a variable without `vars.`', tasks(set('a'), set('b', ', when: x > 1')), 'DW_UNKNOWN_ROOT', 'x', 'vars.x'],
  [
    'an unknown task in an expression',
    tasks(set('a'), set('b', ', when: tasks.aa.output')),
    'DW_UNKNOWN_TASK',
    'tasks.aa.output',
    'a',
  ],
  [
    'a task with a dash in its name, unquoted',
    tasks(set('a-b'), '- { name: c, type: set, set: { y: "${ tasks.a - 1 }" } }'),
    'DW_UNKNOWN_TASK',
    'tasks.a',
    'tasks["a-b"]',
  ],
  [
    'an unknown field of a task',
    tasks(set('a'), set('b', ', when: tasks.a.ouptut.x')),
    'DW_UNKNOWN_FIELD',
    'tasks.a.ouptut.x',
    'output',
  ],
  [
    'an unknown field of the instance',
    tasks(set('a', ', when: instance.kee == "x"')),
    'DW_UNKNOWN_FIELD',
    'instance.kee',
    'key',
  ],
  ['a variable that nobody writes', tasks(set('a', ', when: vars.y > 1')), 'DW_UNKNOWN_VAR', 'vars.y', 'x'],
  [
    'message where there is no record',
    tasks(set('a', ', when: message.key == "x"')),
    'DW_ROOT_NOT_HERE',
    'message.key',
  ],
  ['output in a condition', tasks(set('a', ', when: output.x')), 'DW_ROOT_NOT_HERE', 'output.x'],
  [
    'message in the `set` of a task that takes no record',
    tasks('- { name: a, type: h, set: { x: "${ message.key }" } }'),
    'DW_ROOT_NOT_HERE',
    'message.key',
  ],
  [
    'tasks in the first value of a variable',
    `vars: { y: "\${ tasks.a.output }" }\n${tasks(set('a'))}`,
    'DW_ROOT_NOT_HERE',
    'tasks.a.output',
  ],
  [
    'input in the key of a start',
    `start: [{ topic: t, key: "\${ input.a }" }]\n${tasks(set('a'))}`,
    'DW_ROOT_NOT_HERE',
    'input.a',
  ],
  [
    'input in `where`',
    tasks(
      '- { name: a, type: kafka-listener, topic: t, where: input.x, correlate: { message: message.key, instance: instance.key } }',
    ),
    'DW_ROOT_NOT_HERE',
    'input.x',
  ],
  [
    'instance on the record’s side of a correlation',
    tasks(
      '- { name: a, type: kafka-listener, topic: t, correlate: { message: instance.key, instance: instance.key } }',
    ),
    'DW_ROOT_NOT_HERE',
    'instance.key',
  ],
  [
    'message on the instance’s side of a correlation',
    tasks('- { name: a, type: kafka-listener, topic: t, correlate: { message: message.key, instance: message.key } }'),
    'DW_ROOT_NOT_HERE',
    'message.key',
  ],
  [
    'what is not there when the instance starts, in a listener that subscribes then',
    tasks(set('a', ''), ahead('instance: tasks.a.output')),
    'DW_ROOT_NOT_HERE',
    'tasks.a.output',
  ],
  ...(
    [
      ['a kafka-command', '- { name: a, type: kafka-command, topic: t, value: "${ secrets.X }" }'],
      ['`when`', set('a', ', when: secrets.X')],
      ['`set`', '- { name: a, type: h, set: { x: "${ secrets.X }" } }'],
      ['the input of a child', '- { name: a, type: workflow, workflow: w, input: "${ secrets.X }" }'],
      [
        'what undoes a task with a record',
        '- { name: a, type: h, compensate: { type: kafka-command, topic: t, value: "${ secrets.X }" } }',
      ],
    ] as const
  ).map(([where, task]): Case => [`a secret in ${where}`, tasks(task), 'DW_ROOT_NOT_HERE', 'secrets.X']),
  ...(
    [
      ['compared', 'secrets.X == "x"'],
      ['measured', 'size(secrets.X)'],
      ['looked into', 'secrets.X.startsWith("x")'],
      ['put into a list', '[secrets.X]'],
      ['asked of a condition', 'secrets.X == "" ? "a" : "b"'],
      ['with a name out of data', 'secrets[input.name]'],
      ['with no name', 'secrets'],
      ['that may be absent', 'secrets.?X.orValue("")'],
    ] as const
  ).map(([how, source]): Case => [
    `a secret ${how}`,
    tasks(`- { name: a, type: h, with: { x: '\${ ${source} }' } }`),
    'DW_EXPRESSION',
    source.slice(source.indexOf('secrets')).match(/^secrets(\.\??X)?/)?.[0] ?? '',
  ]),
  [
    '`skipAhead` of a listener that takes several records',
    tasks(ahead('instance: instance.key', ', until: "true"')),
    'DW_KEY_NOT_HERE',
    'skipAhead',
  ],
  [
    '`skipAhead` inside a for-each',
    tasks(`- { name: e, type: for-each, items: "\${ [1] }", tasks: [${ahead('instance: instance.key').slice(2)}] }`),
    'DW_KEY_NOT_HERE',
    'skipAhead',
  ],
  [
    '`skipAhead` inside an interval',
    tasks(`- { name: e, type: interval, every: 1s, until: "true", run: ${ahead('instance: instance.key').slice(2)} }`),
    'DW_KEY_NOT_HERE',
    'skipAhead',
  ],
  ['an attribute by the time', `attributes: { a: now }\n${tasks(set('a'))}`, 'DW_ROOT_NOT_HERE', 'now'],
  ['an attribute of a secret', `attributes: { a: secrets.X }\n${tasks(set('a'))}`, 'DW_ROOT_NOT_HERE', 'secrets'],
  [
    'an attribute of an unknown name',
    `attributes: { a: inptu.x }\n${tasks(set('a'))}`,
    'DW_UNKNOWN_ROOT',
    'inptu',
    'input',
  ],
  [
    'an attribute of an unknown variable',
    `attributes: { a: vars.y }\n${tasks(set('a'))}`,
    'DW_UNKNOWN_VAR',
    'vars.y',
    'x',
  ],
  ['an attribute that is no text', `attributes: { a: 17 }\n${tasks(set('a'))}`, 'DW_SCHEMA', '17'],
  ['an attribute that no filter can name', `attributes: { a:b: input }\n${tasks(set('a'))}`, 'DW_SCHEMA', 'a:b'],
  [
    'a seventeenth attribute',
    `attributes: { ${Array.from({ length: 17 }, (_, n) => `a${n}: input`).join(', ')} }\n${tasks(set('a'))}`,
    'DW_SCHEMA',
    '{ a0',
  ],
  [
    'an attribute of a task in a for-each',
    `attributes: { a: tasks.b.status }\n${tasks(`- { name: e, type: for-each, items: "\${ [1] }", tasks: [${set('b').slice(2)}] }`)}`,
    'DW_OUT_OF_SCOPE',
    'tasks.b',
  ],
  ['`with` on a built-in', tasks(set('a', ', with: 1')), 'DW_KEY_NOT_HERE', 'with'],
  [
    '`timeout` on a command',
    tasks('- { name: a, type: kafka-command, topic: t, value: 1, timeout: 1s }'),
    'DW_KEY_NOT_HERE',
    'timeout',
  ],
]

for (const [title, text, code, at, suggestion] of cases) {
  test(`${title} is ${code}, with its place${suggestion === undefined ? '' : ' and the nearest name'}`, () => {
    const { workflows, problems } = load(text)
    assert.deepEqual(workflows, [])
    assert.deepEqual(
      problems.map((problem) => [problem.code, problem.suggestion]),
      [[code, suggestion]],
    )
    const { line, column } = problems[0]!.place!
    const pointedAt = text.split('\n')[line - 1]!.slice(column - 1)
    assert.ok(at === '' ? pointedAt === '' : pointedAt.startsWith(at), pointedAt)
  })
}

test('with the handlers known, an unknown type names the nearest of them and of the built-in ones', () => {
  const text = tasks(
    '- { name: a, type: biling/charge }',
    '- { name: b, type: triger }',
    '- { name: c, type: billing/charge }',
  )
  const { problems } = load(text, ['billing/charge'])
  assert.deepEqual(
    problems.map((problem) => [problem.code, problem.path, problem.suggestion]),
    [
      ['DW_UNKNOWN_TASK_TYPE', 'tasks[0].type', 'billing/charge'],
      ['DW_UNKNOWN_TASK_TYPE', 'tasks[1].type', 'trigger'],
    ],
  )
  assert.deepEqual(load(text).problems, [])
})

test('a cycle is named in full', () => {
  const [problem] = load(tasks(set('a', ', dependsOn: [c]'), set('b'), set('c'))).problems
  for (const name of ['`a`', '`b`', '`c`']) assert.ok(problem!.message.includes(name))
})

test('a task named by a default, or behind a case that can be false, can run', () => {
  const decision = (cases: string): string => `- { name: d, type: decision, cases: [${cases}] }`
  workflow(tasks(decision('{ when: "false", next: [] }, { when: input.x, next: [b] }'), set('b')))
  workflow(tasks(decision('{ when: true, next: [] }], default: [b').replace(']] }', '] }'), set('b')))
})

test('what is optional in an expression need not exist', () => {
  workflow(tasks(set('a', ', when: has(vars.y) || vars.?z.orValue(1) > 1')))
})

test('D1: every problem of every file is told at once, and files with none still give their workflows', () => {
  const { workflows, problems } = loadWorkflows([
    { file: 'a.yaml', text: tasks(set('a', ', when: nope'), set('b', ', dependsOn: [zzz]')) },
    { file: 'b.yaml', text: 'workflow: good\ntasks: [{ name: a, type: set, set: { x: 1 } }]\n' },
    { file: 'c.yaml', text: 'a: [\n' },
  ])
  assert.deepEqual(
    workflows.map(({ name }) => name),
    ['good'],
  )
  assert.deepEqual(
    problems.map(({ code, place }) => `${place?.file} ${code}`),
    ['a.yaml DW_UNKNOWN_ROOT', 'a.yaml DW_UNKNOWN_TASK', 'c.yaml DW_YAML'],
  )
})

test('what is written out and is the default anyway is accepted', () => {
  const listener =
    '- { name: l, type: kafka-listener, topic: t, correlate: { message: message.key, instance: instance.key }, match: one, onExpired: drop }'
  workflow(`workflow: w\nonClosed: start\nonRunning: ignore\ntasks:\n  ${listener}\n`)
})

test('the second workflow of a name is refused and names the first; documents of one file are separate workflows', () => {
  const one = 'workflow: w\ntasks: [{ name: a, type: set, set: { x: 1 } }]\n'
  const { workflows, problems } = loadWorkflows([
    { file: 'a.yaml', text: `${one}---\n${one.replace('w\n', 'v\n')}` },
    { file: 'b.yaml', text: `# again\n${one}` },
  ])
  assert.deepEqual(
    workflows.map(({ name }) => name),
    ['w', 'v'],
  )
  assert.deepEqual(
    problems.map(({ code, place }) => [code, place?.file, place?.line]),
    [['DW_DUPLICATE_WORKFLOW', 'b.yaml', 2]],
  )
  assert.ok(problems[0]!.message.includes('a.yaml:1'))
})

test('the problems of one run are bounded', () => {
  const many = tasks(...Array.from({ length: 300 }, (_, index) => set(`t${index}`, ', when: nope')))
  assert.equal(load(many).problems.length, 200)
})

test('a text that is no workflow does not compile, and says why', () => {
  for (const source of [
    '',
    'null',
    '[]',
    '{}',
    '{"workflow":"w","tasks":[{"name":"a","type":"set","set":{"x":"${ nope }"}}]}',
  ]) {
    assert.throws(
      () => compileWorkflow(source),
      (error) => error instanceof DefinitionError && error.problems.length > 0,
    )
  }
})
