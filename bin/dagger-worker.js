#!/usr/bin/env node
// Plain JavaScript for any Node: it only checks the version, then hands over. Compiled in a package, sources in a checkout.
import { existsSync } from 'node:fs'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 22)) {
  console.error(
    'dagger-worker needs Node 22.22 or newer; this is Node ' + process.versions.node + ' (' + process.execPath + ').',
  )
  console.error(
    'Install Node 24 from https://nodejs.org, or run: npx -y -p node@24 -p dagger-worker dagger-worker --help',
  )
  process.exit(2)
}
const compiled = new URL('../dist/main.js', import.meta.url)
const entry = existsSync(compiled) ? compiled : new URL('../src/main.ts', import.meta.url)
void import(entry.href)
  .then((main) => main.runCommandLine(process.argv.slice(2)))
  .then((code) => {
    process.exitCode = code
  })
