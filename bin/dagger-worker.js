#!/usr/bin/env node
// Plain JavaScript for any Node: it only checks the version, then hands over. Sources in a checkout,
// where what was compiled may be old; compiled in a package, which has no sources.
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
const source = new URL('../src/main.ts', import.meta.url)
const entry = existsSync(source) ? source : new URL('../dist/main.js', import.meta.url)
void import(entry.href)
  .then((main) => main.runCommandLine(process.argv.slice(2)))
  .then((code) => {
    process.exitCode = code
  })
