/** What is said when all is over: the result, who ran what, what was recovered, what to type next. */
import { readFile } from 'node:fs/promises'
import colors from 'picocolors'
import type { PlaceKinds } from './places.ts'
import { seconds } from './screen.ts'
import { examples } from './store.ts'
import { isFile, type Story } from './story.ts'

export interface Epilogue {
  readonly stream: NodeJS.WriteStream
  readonly story: Story
  readonly killed: { readonly name: string; readonly held: readonly string[]; readonly atMs: number } | undefined
  readonly report: string
  readonly folder: string
  readonly runId: string
  readonly places: PlaceKinds
  /** Where the run can be looked at, if it was kept. */
  readonly kept: string | undefined
}

export async function printResult(epilogue: Epilogue): Promise<void> {
  const sections = [
    ['Result', await resultOf(epilogue)],
    ['Who ran what', whoRanWhat(epilogue)],
    ['What was recovered', recovered(epilogue)],
    ['What to type next', next(epilogue)],
  ] as const
  for (const [title, lines] of sections) {
    epilogue.stream.write(`\n${colors.bold(title)}\n${lines.map((line) => `  ${line}\n`).join('')}`)
  }
}

const MOST_FINDINGS = 8

async function resultOf({ report }: Epilogue): Promise<string[]> {
  const text = await readFile(report, 'utf8')
  const [totals = ''] = text.split('\n').slice(2)
  const findings = text.split('\n').filter((line) => line.startsWith('- '))
  const more = findings.length - MOST_FINDINGS
  return [
    totals,
    findings.length === 0
      ? 'Every relative link leads somewhere.'
      : `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}:`,
    ...findings.slice(0, MOST_FINDINGS).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    `${colors.green('✓')} The report equals a recount in this process: ${report}`,
  ]
}

function whoRanWhat({ story, killed }: Epilogue): string[] {
  return ['worker-1', 'worker-2'].map((name) => {
    const finished = story.finishedBy(name)
    const files = finished.filter(isFile).length
    // The map itself is claimed once more, to gather what its items gave.
    const others = finished.filter((instanceId) => !isFile(instanceId) && instanceId !== 'analyse')
    const did = [...others, `${files} ${files === 1 ? 'file' : 'files'}`].join(', ')
    const fate = killed?.name === name ? colors.red(`  killed at ${seconds(killed.atMs)}`) : ''
    return `${name}  ${did}${fate}`
  })
}

function recovered({ story }: Epilogue): string[] {
  return story.recovered.map(
    ({ instanceId, by, finishedBy }) => `${instanceId}  claimed by ${by}, finished by ${finishedBy} after the lease`,
  )
}

function next({ kept, places: { store, queue }, runId, report }: Epilogue): string[] {
  const own = ['npm run demo -- --dir <folder>', 'the same on your own Markdown files'] as const
  const look = [`less ${report}`, 'the report'] as const
  const toKeep =
    store === 'files'
      ? 'npm run demo -- --keep'
      : `BATON_STORE=${examples[store]} npm run demo -- --store ${store}${queue === undefined ? '' : ` --queue ${queue}`}`
  const journal =
    kept === undefined
      ? ([toKeep, 'keep the journal, to look at it'] as const)
      : ([`${kept} node apps/client/dist/main.js watch ${runId}`, 'the journal again'] as const)
  const learn = ['cat examples/01-hello/README.md', 'the smallest flow; 02 and 03 go on from there'] as const
  const commands = [own, look, journal, learn]
  const width = Math.min(40, Math.max(...commands.map(([command]) => command.length)))
  return commands.map(([command, why]) => `${colors.cyan(command.padEnd(width))}  ${colors.dim(why)}`)
}
