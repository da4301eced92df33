import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadWorkflows } from '../../src/definition/parse.ts'
import { topicFormat } from '../../src/definition/topic-format.ts'

const load = (topics: string, ...tasks: readonly string[]) =>
  loadWorkflows([
    { file: 'f.yaml', text: `workflow: w\n${topics}\ntasks:\n${tasks.map((line) => `  ${line}`).join('\n')}\n` },
  ])
const problemsOf = (topics: string, ...tasks: readonly string[]) =>
  load(topics, ...tasks).problems.map(({ code, path, place }) => `${place?.line}:${place?.column} ${code} ${path}`)
const command = (more: string, topic = 'out'): string => `- { name: c, type: kafka-command, topic: ${topic}, ${more} }`
const listener = (more: string): string => `- { name: l, type: kafka-listener, topic: in, ${more} }`

test('a workflow says what the bytes of its topics are, and what it does not say is JSON under text keys', () => {
  const { workflows, problems } = load(
    'topics: { out: { format: bytes }, in: { keyFormat: long } }',
    command('value: "AA=="'),
    listener('correlate: { message: message.key, instance: instance.key }'),
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(
    [...(workflows[0]?.formats ?? [])],
    [
      ['in', topicFormat('json', 'long')],
      ['out', topicFormat('bytes', 'string')],
    ],
  )
})

test('formats that are equal are one and the same', () => {
  assert.equal(topicFormat('bytes', 'long'), topicFormat('bytes', 'long'))
  assert.notEqual(topicFormat('bytes', 'long'), topicFormat('bytes', 'int'))
})

test('a format that there is not is a problem at its place, and so is a topic of which nothing is said', () => {
  assert.deepEqual(problemsOf('topics: { out: { format: xml } }', command('value: 1')), [
    '2:26 DW_SCHEMA topics.out.format',
  ])
  assert.deepEqual(problemsOf('topics: { out: {} }', command('value: 1')), ['2:16 DW_SCHEMA topics.out'])
  assert.deepEqual(problemsOf('topics: { out: { formta: json } }', command('value: 1')), [
    '2:18 DW_UNKNOWN_KEY topics.out.formta',
  ])
  assert.deepEqual(problemsOf('topics: { "a b": { format: json } }', command('value: 1')), [
    '2:11 DW_SCHEMA topics["a b"]',
    '2:11 DW_UNKNOWN_TOPIC topics["a b"]',
  ])
})

test('a topic that nothing uses is a problem with the nearest name, unless an expression may name it', () => {
  const { problems } = load('topics: { outt: { format: string } }', command('value: x'))
  assert.deepEqual(
    problems.map(({ code, suggestion, place }) => [code, suggestion, place?.line, place?.column]),
    [['DW_UNKNOWN_TOPIC', 'out', 2, 11]],
  )
  assert.deepEqual(problemsOf('topics: { outt: { format: string } }', command('value: x', '"${ input.t }"')), [])
})

test('what a command gives is held against the format as far as it can be known', () => {
  const given = (format: string, more: string) => problemsOf(`topics: { out: { ${format} } }`, command(more))
  assert.deepEqual(given('format: string', 'value: { a: 1 }'), ['4:56 DW_TOPIC_FORMAT tasks[0].value'])
  assert.deepEqual(given('format: string', 'value: { a: "${ input }" }'), ['4:56 DW_TOPIC_FORMAT tasks[0].value'])
  assert.deepEqual(given('format: bytes', 'value: "not base64!"'), ['4:56 DW_TOPIC_FORMAT tasks[0].value'])
  assert.deepEqual(given('keyFormat: long', 'value: 1, key: k'), ['4:64 DW_TOPIC_FORMAT tasks[0].key'])
  assert.deepEqual(given('keyFormat: bytes', 'value: 1, key: "é"'), ['4:64 DW_TOPIC_FORMAT tasks[0].key'])
  for (const [format, more] of [
    ['format: string', 'value: "a ${ input }"'],
    ['format: string', 'value: "${ input }"'],
    ['format: string', 'value: null'],
    ['format: bytes', 'value: "AAE="'],
    ['keyFormat: long', 'value: 1, key: "12"'],
    ['keyFormat: long', 'value: 1, key: 12'],
    ['keyFormat: json', 'value: 1, key: k'],
  ] as const)
    assert.deepEqual(given(format, more), [], `${format} ${more}`)
})

test('a field of a value that is a text is a problem at its place, wherever the record is at hand', () => {
  const topics = 'topics: { in: { format: string } }\nstart: [{ topic: in, key: "${ message.value.id }" }]'
  assert.deepEqual(
    problemsOf(
      topics,
      listener('correlate: { message: message.value.id, instance: instance.key }, set: { x: "${ message.value.y }" }'),
    ),
    [
      '3:31 DW_TOPIC_FORMAT start[0].key',
      '5:71 DW_TOPIC_FORMAT tasks[0].correlate.message',
      '5:129 DW_TOPIC_FORMAT tasks[0].set.x',
    ],
  )
  assert.deepEqual(
    problemsOf(
      'topics: { in: { keyFormat: long } }',
      listener('correlate: { message: message.key.id, instance: instance.key }'),
    ),
    ['4:71 DW_TOPIC_FORMAT tasks[0].correlate.message'],
  )
  assert.deepEqual(
    problemsOf(
      'topics: { in: { keyFormat: json } }',
      listener('correlate: { message: message.key.id, instance: message.value }'),
    ),
    ['4:97 DW_ROOT_NOT_HERE tasks[0].correlate.instance'],
  )
})
