import { fuzzes } from './in-tests.ts'

fuzzes('records', 'every record of a stranger has one fate, and the partition goes on', 2_000)
