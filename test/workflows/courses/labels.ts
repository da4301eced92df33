import { answer, look, produce, type Example } from '../course.ts'

/** Prints the next label; those of lamps jam. */
const prints = answer('label-commands', 'label-events', ({ shipment = null, line = null, text = null }) => ({
  shipment,
  line,
  ...(text === 'lamp' ? { status: 'jammed' } : { status: 'printed', label: `L-${Number(line)}` }),
}))

export const labels: Example = {
  hurry: { 'timeout: 10m': 'timeout: 500ms' },
  courses: [
    {
      title: 'three lines, two at a time, of which one jams: the outputs are in the order of the lines',
      workflow: 'labels',
      key: 's-10',
      steps: [
        produce('shipments-packed', { lines: ['mug', 'lamp', 'vase'] }, 's-10'),
        look('each[0].printed', 'each[1].printed'),
        prints,
        prints,
        prints,
      ],
      commands: (key) =>
        ['mug', 'lamp', 'vase'].map((text, line) => ['label-commands', key, { shipment: key, line, text }] as const),
      end: { status: 'COMPLETED', output: { labels: ['L-0', null, 'L-2'], failed: 1 } },
    },
    {
      title: 'a printer that says nothing fails its line, and not the shipment',
      workflow: 'labels',
      key: 's-12',
      inAHurry: true,
      steps: [produce('shipments-packed', { lines: ['mug'] }, 's-12')],
      commands: (key) => [['label-commands', key, { shipment: key, line: 0, text: 'mug' }]],
      end: { status: 'COMPLETED', output: { labels: [null], failed: 1 } },
    },
  ],
}
