/**
 * Servers that come as Java archives. Maven fetches them once, by the pom.xml in `java/<name>`, into a cache beside the
 * installed packages; the folder's name has a digest of the pom.xml, so another version is another folder.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isMade, madeOnce } from './cache.ts'
import type { ServerCommand } from './server-process.ts'
import { aptInstall, isOnPath } from './wanted.ts'

const run = promisify(execFile)

const HOUSE = fileURLToPath(new URL('..', import.meta.url))
const FETCH_WITHIN_MS = 300_000
const OLDEST_JAVA = 17

// A test's server lives for seconds: the quick compiler and the simple collector start sooner and take less memory.
const QUICK_START = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto']

export interface JavaServer {
  /** The folder in `java/` with the pom.xml. */
  readonly name: string
  readonly main: string
  /** What its virtual machine is told beside what all of them are. */
  readonly flags?: readonly string[]
}

export interface Archives {
  readonly folder: string
  /** The version of the Java that will run them. */
  readonly java: string
}

/**
 * The folder with a server's archives, fetched if need be; or why it cannot be had, and what to do about it.
 * @param toFetch is called before they are fetched
 */
export async function findArchives(
  server: JavaServer,
  toFetch: () => void = () => {},
): Promise<Archives | { missing: string }> {
  const java = await findJava()
  if (typeof java === 'object') return java
  const { pom, folder } = placeOf(server)
  const fetch = (fresh: string) => {
    toFetch()
    return fetchInto(fresh, pom)
  }
  try {
    return { folder: await madeOnce(folder, fetch), java }
  } catch (error) {
    return { missing: (error as Error).message }
  }
}

/** What is not on the PATH to run a server, and to fetch it if need be: looked up in a moment, without asking the network. */
export async function lackOf(server: JavaServer): Promise<string | undefined> {
  const java = await findJava()
  if (typeof java === 'object') return java.missing
  return isMade(placeOf(server).folder) || isOnPath('mvn') ? undefined : noMaven()
}

/** @returns the path of its pom.xml, and the name of its folder in the cache */
function placeOf({ name }: JavaServer): { readonly pom: string; readonly folder: string } {
  const pom = join(HOUSE, 'java', name, 'pom.xml')
  const digest = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)
  return { pom, folder: `${name}-${digest}` }
}

/** How to start it, where `folder` has its archives and native libraries. */
export function javaCommand(
  { main, flags = [] }: JavaServer,
  folder: string,
  properties: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Pick<ServerCommand, 'command' | 'args'> {
  const defined = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`)
  return { command: 'java', args: [...QUICK_START, ...flags, ...defined, '-cp', join(folder, '*'), main, ...args] }
}

async function findJava(): Promise<string | { missing: string }> {
  const get = aptInstall('java', 'openjdk-17-jre-headless')
  if (!isOnPath('java')) return { missing: `there is no java here: ${get}` }
  // Asked, since macOS has a `java` that only says where to buy one.
  const said = await run('java', ['-version']).catch((error: unknown) => ({ stderr: String(error) }))
  const [, version = ''] = /version "([\w.+-]+)"/.exec(said.stderr) ?? []
  if (Number.parseInt(version, 10) >= OLDEST_JAVA) return version
  return { missing: `it needs Java ${OLDEST_JAVA} or newer: ${get}` }
}

async function fetchInto(folder: string, pom: string): Promise<void> {
  if (!isOnPath('mvn')) throw new Error(noMaven())
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`]
  try {
    await run('mvn', ['-q', '-B', '--strict-checksums', '-f', pom, ...goal], { timeout: FETCH_WITHIN_MS })
  } catch (error) {
    throw new Error(`Maven could not fetch it: ${errorLines(error)}`, { cause: error })
  }
}

function noMaven(): string {
  return `there is no mvn here to fetch it: ${aptInstall('mvn', 'maven')}`
}

function errorLines(error: unknown): string {
  const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string }
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.includes('ERROR'))
  return lines[0] ?? String(error)
}
