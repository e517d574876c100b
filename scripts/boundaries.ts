import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import { listFiles, listPackages, type Manifest, type Package } from './house.ts'
import { listImports } from './imports.ts'

/**
 * One row: a place, and what it may import besides itself.
 *
 * A place is a room of core (`core/engine`; `core` are the files that lie in no room), a package by its folder
 * (`packages/agent`), or the tests of a package. The first row that fits holds; tests may also import what the sources
 * beside them may. What may be imported is one of:
 *
 * - `core/model`, `core/*`: a room of core, by relative path; with ` (types)`, only types of it
 * - `@baton/core`, `@baton/core/adapter`: this door of a package
 * - `public`: any door of a package that we publish; `house`: any door of any package
 * - `node`, `node:crypto`: Node's built-ins, or this one
 * - `library`: what the importer's package.json lists for its users; `vitest`: this one, listed or not
 */
export interface Row {
  readonly from: string
  readonly mayImport: readonly string[]
  readonly because: string
}

/** Packages that only tests may import, besides the few whose trade they are. */
export interface TestTools {
  readonly names: readonly string[]
  readonly mayBeUsedBy: readonly string[]
  readonly because: string
}

/** A rule that was broken: where, how, and why there is such a rule. */
export interface Breach {
  readonly where: string
  readonly what: string
  readonly because: string
}

/** Holds every import and every package.json under `root` against the table. */
export function checkBoundaries(root: string, table: readonly Row[], testTools: TestTools): Breach[] {
  const house: House = { root, packages: listPackages(root), table, testTools }
  return house.packages.flatMap((each) => [...checkManifest(each, house), ...checkSources(each, house)])
}

/** What every question is asked against. */
interface House {
  readonly root: string
  readonly packages: readonly Package[]
  readonly table: readonly Row[]
  readonly testTools: TestTools
}

// ── Sources ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function checkSources(importer: Package, house: House): Breach[] {
  const { root } = house
  return listFiles(root, importer.folder, ['.ts', '.tsx', '.mts', '.js', '.mjs']).flatMap((file) => {
    const from = placeOf(file, importer)
    const imports = listImports(file, readFileSync(join(root, file), 'utf8'))
    return imports.flatMap(({ specifier, line, typesOnly }) => {
      const goal = goalOf(specifier, file, importer, house.packages)
      const because = refusal(from, goal, importer, house, typesOnly)
      return because === undefined
        ? []
        : [{ where: `${file}:${line}`, what: `${nameOf(from)} may not import ${goal.name} ('${specifier}')`, because }]
    })
  })
}

/** A file's place in the table. */
interface Place {
  /** Its row: a room of core, or the package's folder. */
  readonly room: string
  readonly isTest: boolean
}

function placeOf(file: string, owner: Package): Place {
  const inside = file.slice(owner.folder.length + 1)
  const isTest = inside.startsWith('test/') || /\.test(-d)?\.[cm]?tsx?$/.test(inside)
  if (owner.folder !== 'packages/core') return { room: owner.folder, isTest }
  const room = /^src\/([^/]+)\//.exec(inside)?.[1]
  return { room: room === undefined ? 'core' : `core/${room}`, isTest }
}

function nameOf({ room, isTest }: Place): string {
  return isTest ? `a test of ${room}` : room
}

/** What an import leads to, in words that a row may use for it. */
interface Goal {
  /** The most exact of the words; for messages. */
  readonly name: string
  readonly words: readonly string[]
  /** Set when it cannot be right for anybody, or is right for everybody. */
  readonly verdict?: { readonly refused: string } | 'fine'
}

function goalOf(specifier: string, file: string, importer: Package, packages: readonly Package[]): Goal {
  if (specifier.startsWith('.')) return pathGoal(posix.join(posix.dirname(file), specifier), file, importer)
  if (isBuiltin(specifier)) {
    const name = specifier.startsWith('node:') ? specifier : `node:${specifier}`
    return { name, words: ['node', name] }
  }
  const owner = packages.find(({ manifest: { name } }) => specifier === name || specifier.startsWith(`${name}/`))
  if (owner !== undefined) return doorGoal(specifier, owner, importer)

  const name = packageName(specifier)
  if (name.startsWith('@baton/'))
    return { name, words: [], verdict: { refused: 'there is no such package in the house' } }
  return { name, words: isListed(name, importer.manifest, placeOf(file, importer)) ? ['library', name] : [name] }
}

function pathGoal(path: string, file: string, importer: Package): Goal {
  if (!path.startsWith(`${importer.folder}/`)) {
    return { name: path, words: [], verdict: { refused: 'packages meet at their doors: import it by its name' } }
  }
  const target = placeOf(path, importer)
  const from = placeOf(file, importer)
  if (target.isTest && !from.isTest) {
    return { name: path, words: [], verdict: { refused: 'tests do not travel with the package' } }
  }
  const { room } = target
  if (room === from.room) return { name: room, words: [], verdict: 'fine' }
  return { name: room, words: room === 'core' ? [room] : [room, `${room} (types)`, 'core/*'] }
}

function doorGoal(specifier: string, owner: Package, importer: Package): Goal {
  const { name, exports = {} } = owner.manifest
  if (!Object.hasOwn(exports, `.${specifier.slice(name.length)}`)) {
    return { name: specifier, words: [], verdict: { refused: `${name} has no such door in its exports` } }
  }
  if (owner === importer) return { name: specifier, words: [], verdict: 'fine' }
  return { name: specifier, words: ['house', specifier, ...(owner.manifest.private ? [] : ['public'])] }
}

/** Why `from` may not import the goal; undefined if it may. */
function refusal(from: Place, goal: Goal, importer: Package, house: House, typesOnly = false): string | undefined {
  if (goal.verdict === 'fine') return undefined
  if (goal.verdict !== undefined) return goal.verdict.refused

  const { names, mayBeUsedBy, because } = house.testTools
  if (names.includes(goal.name) && !from.isTest && !mayBeUsedBy.includes(importer.folder)) return because

  const rows = rowsFor(from, importer, house.table)
  if (rows[0] === undefined) return `the table has no row for ${from.room}: give it one`
  const words = goal.words.filter((word) => typesOnly || !word.endsWith(' (types)'))
  return rows.some(({ mayImport }) => words.some((word) => mayImport.includes(word))) ? undefined : rows[0].because
}

/** The rows that hold for a place: its own, and for a test the row of its sources as well. */
function rowsFor({ room, isTest }: Place, owner: Package, table: readonly Row[]): Row[] {
  const names = isTest ? [`${owner.folder} tests`, room] : [room]
  return names.flatMap((name) => table.find((row) => fits(row.from, name)) ?? [])
}

function fits(pattern: string, name: string): boolean {
  return new RegExp(`^${pattern.replaceAll('*', '[^/ ]*')}$`).test(name)
}

/** `lib/deep/file` → `lib`, `@scope/lib/file` → `@scope/lib`. */
function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** What an import may count on: what the package brings to its users, and for a test what it brings to us. */
function isListed(name: string, manifest: Manifest, { isTest }: Place): boolean {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = manifest
  const lists = [dependencies, peerDependencies, optionalDependencies, isTest ? devDependencies : undefined]
  return lists.some((list) => Object.hasOwn(list ?? {}, name))
}

// ── package.json ─────────────────────────────────────────────────────────────────────────────────────────────────────

function checkManifest(owner: Package, house: House): Breach[] {
  const { manifest, folder } = owner
  const where = `${folder}/package.json`
  const breach = (what: string, because: string): Breach => ({ where, what, because })
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = manifest
  const room = folder === 'packages/core' ? 'core' : folder

  const forbidden = (list: Manifest['dependencies'], key: string, isTest: boolean): Breach[] =>
    Object.keys(list ?? {}).flatMap((name) => {
      const because = refusedDependency(name, { room, isTest }, owner, house)
      return because === undefined ? [] : [breach(`${key} may not list ${name}`, because)]
    })
  const breaches = [
    ...forbidden(dependencies, 'dependencies', false),
    ...forbidden(peerDependencies, 'peerDependencies', false),
    ...forbidden(optionalDependencies, 'optionalDependencies', false),
    ...forbidden(devDependencies, 'devDependencies', true),
  ]

  if (folder === 'packages/core' && dependencies === undefined) {
    breaches.push(breach('dependencies must be written down as {}', 'core depends on nothing, and says so'))
  }
  if (/^packages\/(adapter|store)-/.test(folder)) {
    for (const name of Object.keys(dependencies ?? {})) {
      breaches.push(breach(`${name} must be a peerDependency`, 'its user picks the version, and has one copy of it'))
    }
  }
  return breaches
}

/** Why a place may not list a package; undefined if one of its doors is open to it. */
function refusedDependency(name: string, from: Place, owner: Package, house: House): string | undefined {
  const inHouse = house.packages.find(({ manifest }) => manifest.name === name)
  // A library is listed to be used, so the question is whether it might be; the compiler and its kind are never imported.
  const doors = Object.keys(inHouse?.manifest.exports ?? {}).filter((door) => door !== './package.json')
  if (inHouse === undefined)
    return from.isTest ? undefined : refusal(from, { name, words: ['library', name] }, owner, house)
  const goals = doors.map((door) => doorGoal(`${name}${door.slice(1)}`, inHouse, owner))
  // An app has no door, yet one may need it to be built first.
  if (goals.length === 0) goals.push({ name, words: ['house'] })
  const refusals = goals.map((goal) => refusal(from, goal, owner, house))
  return refusals.includes(undefined) ? undefined : refusals[0]
}
