/**
 * One version of each tool: the root repeats some numbers of the catalog (it cannot write `catalog:`, which a plain
 * `npm install` does not understand), and biome.json names the version of its schema. Here they are compared.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { houseRoot, type Manifest, readJson } from './house.ts'

const catalog = readCatalog(readFileSync(join(houseRoot, 'pnpm-workspace.yaml'), 'utf8'))
const { dependencies, devDependencies } = readJson(join(houseRoot, 'package.json')) as Manifest
const { $schema } = readJson(join(houseRoot, 'biome.json')) as { $schema: string }

const wrong = Object.entries({ ...dependencies, ...devDependencies })
  .filter(([name, version]) => catalog.get(name) !== version)
  .map(([name, version]) => `package.json has ${name} ${version}, the catalog ${catalog.get(name) ?? 'has none'}`)
if (!$schema.includes(`/${catalog.get('@biomejs/biome')}/`)) wrong.push(`biome.json names another version: ${$schema}`)

for (const line of wrong) console.error(line)
if (wrong.length > 0) process.exitCode = 1
else console.log('The root and the catalog name the same versions.')

/** The `catalog:` of pnpm-workspace.yaml, which is a flat list of names and versions. */
function readCatalog(yaml: string): Map<string, string> {
  const section = /^catalog:\n((?:[ #].*\n|\n)*)/m.exec(yaml)?.[1] ?? ''
  const entries = section.matchAll(/^ +'?([^':#\s]+)'?: *(\S+)$/gm)
  return new Map([...entries].map(([, name = '', version = '']) => [name, version]))
}
