import { fuzzes } from './in-tests.ts'

fuzzes('bodies', 'no request is answered with anything but what the API says', 1_500)
