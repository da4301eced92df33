import { look, produce, see, type Example, type Step } from '../course.ts'

const scan = (parcelId: string, at: string, minute: number): Step =>
  produce('parcel-scans', { parcelId, at, minute }, parcelId)

export const tracking: Example = {
  hurry: { 'keep: 2d': 'keep: 3s' },
  courses: [
    {
      title: 'scans that come before the parcel, and before one another, are kept',
      workflow: 'tracking',
      key: 'p-10',
      steps: [
        scan('p-10', 'door', 50),
        scan('p-10', 'hub', 20),
        produce('tracked-parcels', { parcelId: 'p-10' }),
        look('depot'),
        scan('p-10', 'depot', 5),
      ],
      commands: (key) => [['parcels-delivered', key, { minutes: 45 }]],
      end: { status: 'COMPLETED', output: { minutes: 45 } },
    },
    {
      title: 'a scan that nobody came for in time goes to the dead-letter topic, and a later one counts',
      workflow: 'tracking',
      key: 'p-11',
      inAHurry: true,
      steps: [
        scan('p-11', 'door', 50),
        see('dead-letter'),
        produce('tracked-parcels', { parcelId: 'p-11' }),
        ...['depot', 'hub', 'door'].flatMap((at, index) => [look(at), scan('p-11', at, index * 30)]),
      ],
      commands: (key) => [
        ['dead-letter', key, { parcelId: key, at: 'door', minute: 50 }],
        ['parcels-delivered', key, { minutes: 60 }],
      ],
      end: { status: 'COMPLETED', output: { minutes: 60 } },
    },
  ],
}
