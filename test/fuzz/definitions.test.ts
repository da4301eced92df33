import { fuzzes } from './in-tests.ts'

fuzzes('definitions', 'no text of a workflow file throws, and what is accepted runs', 800)
