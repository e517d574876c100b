/**
 * Servers that come as Java archives. Maven fetches them once, by the pom.xml in `java/<name>`, into a cache beside the
 * installed packages; the folder's name has a digest of the pom.xml, so another version is another folder.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { withLock } from './lock.ts'
import type { ServerCommand } from './server-process.ts'
import { aptInstall, isOnPath } from './wanted.ts'

const run = promisify(execFile)

const HOUSE = fileURLToPath(new URL('..', import.meta.url))
const CACHE = join(HOUSE, 'node_modules/.cache/baton-services')
const FETCH_WITHIN_MS = 300_000
const OLDEST_JAVA = 17

// A test's server lives for seconds: the quick compiler and the simple collector start sooner and take less memory.
const QUICK_START = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto']

export interface JavaServer {
  /** The folder in `java/` with the pom.xml. */
  readonly name: string
  readonly main: string
}

/** The folder with a server's archives, fetched if need be; or why it cannot be had, and what to do about it. */
export async function findArchives({ name }: JavaServer): Promise<{ folder: string } | { missing: string }> {
  const noJava = await whyNoJava()
  if (noJava !== undefined) return { missing: noJava }
  const pom = join(HOUSE, 'java', name, 'pom.xml')
  const digest = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)
  const folder = join(CACHE, `${name}-${digest}`)
  if (existsSync(folder)) return { folder }
  if (!isOnPath('mvn')) return { missing: `there is no mvn here to fetch it: ${aptInstall('mvn', 'maven')}` }
  mkdirSync(CACHE, { recursive: true })
  // One at a time: Maven's own store does not bear two processes that fetch the same archive.
  return withLock(join(CACHE, 'lock'), async () => {
    if (existsSync(folder)) return { folder }
    const fresh = mkdtempSync(join(CACHE, `.${name}-`))
    try {
      await fetchInto(fresh, pom)
      // Under its name a folder is whole, or not there.
      renameSync(fresh, folder)
      return { folder }
    } catch (error) {
      return { missing: `Maven could not fetch it: ${errorLines(error)}` }
    } finally {
      rmSync(fresh, { recursive: true, force: true })
    }
  })
}

/** How to start it, where `folder` has its archives and native libraries. */
export function javaCommand(
  { main }: JavaServer,
  folder: string,
  properties: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Pick<ServerCommand, 'command' | 'args'> {
  const defined = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`)
  return { command: 'java', args: [...QUICK_START, ...defined, '-cp', join(folder, '*'), main, ...args] }
}

async function whyNoJava(): Promise<string | undefined> {
  const get = aptInstall('java', 'openjdk-17-jre-headless')
  if (!isOnPath('java')) return `there is no java here: ${get}`
  // Asked, since macOS has a `java` that only says where to buy one.
  const said = await run('java', ['-version']).catch((error: unknown) => ({ stderr: String(error) }))
  const version = Number(/version "(\d+)/.exec(said.stderr)?.[1])
  return version >= OLDEST_JAVA ? undefined : `it needs Java ${OLDEST_JAVA} or newer: ${get}`
}

async function fetchInto(folder: string, pom: string): Promise<void> {
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`]
  await run('mvn', ['-q', '-B', '--strict-checksums', '-f', pom, ...goal], { timeout: FETCH_WITHIN_MS })
}

function errorLines(error: unknown): string {
  const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string }
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.includes('ERROR'))
  return lines[0] ?? String(error)
}
