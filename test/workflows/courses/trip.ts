import { answer, look, produce, run, see, type Example } from '../course.ts'

/** Flight and hotel are asked for side by side: either comes first. */
const books = answer('booking-commands', 'booking-events', ({ booking = null, what = null }) => ({
  booking,
  status: 'booked',
  code: what === 'hotel' ? 'H3' : 'F7',
}))
const asked = (key: string, what: string) =>
  ['booking-commands', `${key}/${what}`, { kind: 'book', booking: `${key}/${what}`, what, city: 'Rome' }] as const

export const trip: Example = {
  hurry: { 'delay: 2d': 'delay: 500ms' },
  courses: [
    {
      title: 'a trip whose flight and hotel are booked, and that does not wait for the postcard',
      workflow: 'trip',
      key: 't-10',
      steps: [run({ city: 'Rome' }), books, books],
      commands: (key) => [asked(key, 'flight'), asked(key, 'hotel')],
      end: { status: 'COMPLETED', output: { flight: 'F7', hotel: 'H3' }, tasks: { postcard: 'COMPLETED' } },
    },
    {
      title: 'a postcard that is written when its time has come',
      workflow: 'trip',
      key: 't-12',
      inAHurry: true,
      steps: [run({ city: 'Rome' }), books, books, see('postcards')],
      commands: (key) => [
        asked(key, 'flight'),
        asked(key, 'hotel'),
        ['postcards', `${key}/postcard`, { text: 'Greetings from Rome' }],
      ],
      end: { status: 'COMPLETED', output: { flight: 'F7', hotel: 'H3' } },
    },
    {
      title: 'a trip whose hotel is full: the flight that was booked is cancelled, and no postcard is written',
      workflow: 'trip',
      key: 't-11',
      steps: [
        run({ city: 'Rome' }),
        see('booking-commands'),
        see('booking-commands'),
        produce('booking-events', { booking: 't-11/flight', status: 'booked', code: 'F7' }),
        look('hotel'),
        produce('booking-events', { booking: 't-11/hotel', status: 'full' }),
      ],
      commands: (key) => [
        asked(key, 'flight'),
        asked(key, 'hotel'),
        ['booking-commands', key, { kind: 'cancel', booking: 't-11/flight' }],
      ],
      end: { status: 'FAILED', error: 'child-failed', tasks: { hotel: 'FAILED', postcard: 'NOT_STARTED' } },
    },
  ],
}
