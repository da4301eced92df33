import { fuzzes } from './in-tests.ts'

fuzzes('expressions', 'no expression on any values throws what is not typed, runs long or reaches the host', 3_000)
