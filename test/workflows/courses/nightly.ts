import { answer, run, type Example } from '../course.ts'

export const nightly: Example = {
  hurry: { '"0 2 * * *"': '"* * * * * *"' },
  courses: [
    {
      title: 'a night started by hand',
      workflow: 'nightly',
      key: 'by-hand',
      steps: [
        run({ due: '2026-01-01T01:00:00Z' }),
        answer('export-commands', 'export-events', ({ run = null }) => ({ run, rows: 7 })),
      ],
      commands: (key) => [
        ['export-commands', key, { run: key, until: '2026-01-01T01:00:00Z' }],
        ['reports', key, { run: key, rows: 7 }],
      ],
      end: { status: 'COMPLETED', output: { rows: 7 } },
    },
    {
      title: 'a night that its schedule starts',
      workflow: 'nightly',
      inAHurry: true,
      steps: [answer('export-commands', 'export-events', ({ run = null }) => ({ run, rows: 8 }))],
      commands: (key) => [
        ['export-commands', key, { run: key, until: key.replace('nightly@', '').replace('Z', '.000Z') }],
        ['reports', key, { run: key, rows: 8 }],
      ],
      end: { status: 'COMPLETED', output: { rows: 8 } },
    },
  ],
}
