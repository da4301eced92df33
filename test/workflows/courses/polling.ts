import { api, produce, run, type Example } from '../course.ts'

export const polling: Example = {
  hurry: { 'every: 5s': 'every: 100ms', 'deadline: 1h': 'deadline: 4s' },
  courses: [
    {
      title: 'a job that is done when it is first looked at',
      workflow: 'polling',
      key: 'j-10',
      steps: [produce('jobs-begun', { statusUrl: `${api}/nth/1/j-10` }, 'j-10')],
      commands: (key) => [['jobs-done', key, { job: key, rows: 1 }]],
      end: { status: 'COMPLETED', output: { job: 'j-10', late: false }, tasks: { late: 'SKIPPED' } },
    },
    {
      title: 'a job that is done at the third look',
      workflow: 'polling',
      key: 'j-11',
      inAHurry: true,
      steps: [run({ statusUrl: `${api}/nth/3/j-11` })],
      commands: (key) => [['jobs-done', key, { job: key, rows: 3 }]],
      end: { status: 'COMPLETED', output: { job: 'j-11', late: false } },
    },
    {
      title: 'a job that is not done by the deadline',
      workflow: 'polling',
      key: 'j-12',
      inAHurry: true,
      steps: [run({ statusUrl: `${api}/nth/100000/j-12` })],
      commands: (key) => [['jobs-late', key, { job: key }]],
      end: { status: 'COMPLETED', output: { job: 'j-12', late: true }, tasks: { done: 'FAILED', ready: 'SKIPPED' } },
    },
  ],
}
