/** What the person typed, checked before anything starts. */
import { accessSync, constants, type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { listMarkdown } from './analyse.ts'
import { Mistake } from './mistake.ts'
import { checkPlaces, isQueueKind, type PlaceKinds, type QueueKind, queueKinds } from './places.ts'
import { isKind, kinds, type StoreKind } from './store.ts'

export interface DemoOptions {
  readonly folder: string
  readonly files: readonly string[]
  /** Where the report goes; absent: into the temporary folder. */
  readonly report: string | undefined
  readonly json: boolean
  readonly keep: boolean
  readonly places: PlaceKinds
}

export const help = `npm run demo [-- options]

Counts the words, headings and links of a folder of Markdown files on two workers, kills one of them half-way,
and shows that the job ends as if nothing had happened.

  --dir FOLDER    the files to work on (this repository's own)
  --report FILE   where the report goes (a temporary folder)
  --store KIND    where the run is kept:
                    files    a folder (the default)
                    redis    the Redis that BATON_STORE names, else a redis-server of this machine
                    dynamo   the table that BATON_STORE names, with a queue of SQS; else emulators of DynamoDB and SQS,
                             which come with the install: no account and no endpoint are needed
  --queue kafka   where its jobs are, beside a store of redis or dynamo: on the Kafka that BATON_QUEUE names, else one
                  that Maven fetches, which wants Java 17
                  What was started for the demo ends with it
  --keep          keep the run's folder: journal, queue and the workers' logs
  --json          the last line of stdout is one JSON object; everything else goes to stderr
  --help
`

const known = {
  dir: { type: 'string' },
  report: { type: 'string' },
  store: { type: 'string', default: 'files' },
  queue: { type: 'string' },
  keep: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** npm changes the folder; paths mean what they meant where the person typed them. */
const typedIn = process.env.INIT_CWD ?? process.cwd()

export async function readOptions(args: readonly string[], house: string): Promise<DemoOptions | 'help'> {
  const { dir, report, store, queue, keep, json, help: asksForHelp } = parse(args)
  if (asksForHelp) return 'help'
  const folder = dir === undefined ? house : from(dir)
  const reportFile = report === undefined ? undefined : from(report)
  const files = await filesIn(folder, reportFile)
  if (files.length === 0) {
    const hint =
      'Name a folder with .md or .markdown files: npm run demo -- --dir <folder>. Not searched: node_modules, dist, .*'
    throw new Mistake(`There are no Markdown files in ${folder}`, hint)
  }
  if (reportFile !== undefined) checkReport(reportFile)
  const places = { store: storeKind(store), queue: queueKind(queue) }
  await checkPlaces(places)
  return { folder, files, report: reportFile, json, keep, places }
}

function storeKind(text: string): StoreKind {
  if (isKind(text)) return text
  throw new Mistake(`There is no --store ${text}`, `There are ${kinds.join(', ')}: npm run demo -- --store redis`)
}

function queueKind(text: string | undefined): QueueKind | undefined {
  if (text === undefined || isQueueKind(text)) return text
  const hint = `There is ${queueKinds.join(', ')}, and without --queue the store's own: npm run demo -- --store redis --queue kafka`
  throw new Mistake(`There is no --queue ${text}`, hint)
}

function parse(args: readonly string[]) {
  const hint = `There are ${Object.keys(known)
    .map((name) => `--${name}`)
    .join(', ')}. npm wants a -- before them.`
  try {
    return parseArgs({ args: [...args], options: known }).values
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    throw new Mistake(said.split('. ')[0] ?? said, hint)
  }
}

async function filesIn(folder: string, reportFile: string | undefined): Promise<string[]> {
  const found = lookAt(folder)
  if (found === undefined) {
    throw new Mistake(`There is no folder ${folder}`, 'Check the name: npm run demo -- --dir <folder>')
  }
  if (!found.isDirectory()) {
    throw new Mistake(
      `${folder} is a file, not a folder`,
      'Name the folder that it is in: npm run demo -- --dir <folder>',
    )
  }
  try {
    return await listMarkdown(folder, reportFile)
  } catch (error) {
    throw unsearchable(folder, error)
  }
}

/** The report comes last: that it has no place to go to should not be found out after the work is done. */
function checkReport(file: string): void {
  const folder = dirname(file)
  if (lookAt(folder)?.isDirectory() !== true) {
    throw new Mistake(`There is no folder for ${file}`, 'Make it first, or name another --report file.')
  }
  const found = lookAt(file)
  if (found?.isDirectory() === true) {
    throw new Mistake(`${file} is a folder`, 'Name a file in it: npm run demo -- --report <folder>/report.md')
  }
  // It is put in the place of what is there, and a device must stay what it is.
  if (found?.isFile() === false) throw new Mistake(`${file} is not a plain file`, 'Name another --report file.')
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    throw new Mistake(`${folder} cannot be written to`, 'Name a --report file in a folder that you may write to.')
  }
}

/** @returns undefined where there is nothing */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw unsearchable(path, error)
  }
}

function unsearchable(path: string, error: unknown): Mistake {
  const said = error instanceof Error ? error.message : String(error)
  return new Mistake(`${path} cannot be searched: ${said}`, 'Name a folder that you may read.')
}

function from(path: string): string {
  return resolve(typedIn, path)
}
