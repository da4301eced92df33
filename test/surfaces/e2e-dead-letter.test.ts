// Bad records and what a person does about them, on the embedded log.
import { test } from 'node:test'
import { Site } from '../support/daemon.ts'
import { givesLettersBack } from './letter-course.ts'

test('a bad record is listed and shown; redriven too early it dies again; once the workflow is mended its instance runs, once', async (t) => {
  await givesLettersBack(Site.of(t), 'parcels')
})
