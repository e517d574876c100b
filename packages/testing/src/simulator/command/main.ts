/** `npm run simulate -- [--seeds N] [--from S] [--mutants] [--json] [--help]`. */
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { mutants } from '../mutants/index.ts'
import { shrink } from '../shrink.ts'
import { simulate } from '../simulate.ts'
import { Bar } from './bar.ts'
import { help } from './help.ts'
import { catchMutants, tableOf } from './mutant-table.ts'
import { type Failing, inChildren, portions } from './seeds.ts'

/** Violations that are shrunk and shown; the others are only counted. */
const MOST_SHOWN = 3
/** Of a trace, for people; `--json` has all of it. */
const MOST_LINES = 120
/** What happens all the time and says nothing. */
const IDLE = /^ *\d+ {2}(timer|compare and|set if not|due|follow|summary|answer)/

const values = read()
const seeds = Number(values.seeds)
const from = Number(values.from)

if (values.help) process.stdout.write(help)
else if (!Number.isInteger(seeds) || seeds < 1) refuse(`--seeds takes a number from 1, not ${values.seeds}.`)
else if (!Number.isInteger(from) || from < 0) refuse(`--from takes a number from 0, not ${values.from}.`)
else if (values.mutants) await runMutants()
else await runSeeds()

async function runSeeds(): Promise<void> {
  const bar = new Bar(seeds, 'seeds')
  const failing: Failing[] = []
  await inChildren(portions(from, seeds), (done) => {
    failing.push(...done.failing)
    bar.add(done.count, failing.length === 0 ? '' : `${failing.length} violations`)
  })
  bar.end()
  failing.sort((left, right) => left.seed - right.seed)
  const shown = []
  for (const { seed } of failing.slice(0, MOST_SHOWN)) shown.push(await explain(seed))
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ seeds, from, violations: failing.length, commit: commit(), failing, shown })}\n`,
    )
  } else {
    for (const { seed, message, limits, steps, trace } of shown) {
      const lines = trace.filter((line) => !IDLE.test(line)).slice(-MOST_LINES)
      process.stdout.write(`\nseed ${seed} at commit ${commit()}: ${message}\n`)
      process.stdout.write(`still so after ${steps} steps with ${JSON.stringify(limits)}\n\n${lines.join('\n')}\n\n`)
    }
    process.stdout.write(`${seeds} seeds, ${failing.length} violations\n`)
  }
  if (failing.length > 0) process.exitCode = 1
}

async function explain(seed: number) {
  say(`making seed ${seed} small …`)
  const { limits, simulated } = await shrink(await simulate({ seed }))
  const { violation, steps, trace } = simulated
  return { seed, message: violation?.message ?? 'it did not happen again', limits, steps, trace }
}

async function runMutants(): Promise<void> {
  const bar = new Bar(mutants.length, 'bugs')
  const caught = await catchMutants({ from, onCaught: ({ name }) => bar.add(1, name) })
  bar.end()
  process.stdout.write(values.json ? `${JSON.stringify(caught)}\n` : `${tableOf(caught)}\n`)
  const missed = caught.filter(({ seed }) => seed === undefined).length
  if (!values.json) process.stdout.write(`${caught.length} bugs, ${missed} not caught\n`)
  if (missed > 0) process.exitCode = 1
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  } catch {
    return 'unknown'
  }
}

function read() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string', default: '1000' },
        from: { type: 'string', default: '1' },
        mutants: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error))
    process.exit()
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** What was typed cannot be carried out. */
function refuse(line: string): void {
  say(line)
  process.exitCode = 2
}
