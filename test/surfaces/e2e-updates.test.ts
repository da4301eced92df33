// Updates on the embedded log, from a user's seat.
import { test } from 'node:test'
import { Site } from '../support/daemon.ts'
import { orderWorkflow, tellThroughKills } from './update-course.ts'

test('each change of an order is told once and in order, whenever the worker is killed', async (t) => {
  const site = Site.of(t, { 'workflows/order.yaml': orderWorkflow })
  await tellThroughKills(site, { app: 'dagger', topic: (name) => name, flags: ['--updates', 'true'] })
})
