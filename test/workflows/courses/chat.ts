import { produce, see, type Example, type Step } from '../course.ts'

const says = (key: string, text: string): Step => produce('chat-messages', { from: 'ann', text }, key)

export const chat: Example = {
  hurry: { 'timeout: 2h': 'timeout: 3s' },
  courses: [
    {
      title: 'a conversation of many messages, of which one is a question',
      workflow: 'chat',
      key: 'c-10',
      steps: [
        produce('chats-opened', { chatId: 'c-10', customer: 'ann' }),
        see('chat-replies'),
        ...Array.from({ length: 40 }, (_, index) => says('c-10', `line ${index}`)),
        says('c-10', 'and when?'),
        says('c-10', 'bye'),
      ],
      commands: (key) => [
        ['chat-replies', key, { text: 'Hello ann, how can we help?' }],
        ['chat-summaries', key, { customer: 'ann', messages: 42, asked: ['and when?'] }],
      ],
      end: { status: 'COMPLETED', output: { messages: 42 } },
    },
    {
      title: 'a conversation that nobody ends',
      workflow: 'chat',
      key: 'c-11',
      inAHurry: true,
      steps: [says('c-11', 'hello?'), produce('chats-opened', { chatId: 'c-11', customer: 'bob' })],
      commands: (key) => [
        ['chat-replies', key, { text: 'Hello bob, how can we help?' }],
        ['chat-summaries', key, { customer: 'bob', messages: 1, asked: ['hello?'] }],
      ],
      end: { status: 'COMPLETED', output: { messages: 1 }, tasks: { conversation: 'SKIPPED' } },
    },
  ],
}
