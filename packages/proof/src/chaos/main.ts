/** `npm run chaos -- --adapter file --kills K [--seconds S] [--seed N] [--json] [--help]`. */
import { parseArgs } from 'node:util'
import { adapters, backendOf } from './backends/index.ts'
import { type ChaosResult, chaos } from './chaos.ts'
import { help } from './help.ts'
import { showProgress } from './progress.ts'

const FINDINGS_SHOWN = 40

const values = read()
const name = values?.adapter ?? 'file'
const backend = await backendOf(name)
const [kills, seconds, seed] = [values?.kills, values?.seconds, values?.seed].map((text) =>
  text === undefined ? undefined : Number(text),
)

if (values === undefined) process.exitCode = 2
else if (values.help === true) process.stdout.write(help)
else if (backend === undefined) refuse(`No adapter ${name}; there is ${adapters.join(', ')}.`)
else if (!isCount(kills)) refuse(`--kills takes a number from 1, not ${values.kills}.`)
else if (seconds !== undefined && !isCount(seconds)) refuse(`--seconds takes a number from 1, not ${values.seconds}.`)
else if (seed !== undefined && !Number.isSafeInteger(seed)) refuse(`--seed takes a whole number, not ${values.seed}.`)
else await run(seed ?? Math.floor(Math.random() * 1e9))

async function run(chosenSeed: number): Promise<void> {
  if (backend === undefined || kills === undefined) return
  say(`seed ${chosenSeed}`)
  const onProgress = showProgress(process.stderr, kills)
  const limits = { kills, ...(seconds === undefined ? {} : { seconds }) }
  const result = await chaos({ backend, ...limits, seed: chosenSeed, onProgress, onTrouble: say })
  for (const { what, runId, detail } of result.findings.slice(0, FINDINGS_SHOWN)) say(`${what}: ${runId}: ${detail}`)
  const { count, p50Ms, p99Ms, maxMs } = result.recovery
  const { pauses, cancels, redrives } = result.operators
  say(`operators: ${pauses} pauses, ${cancels} cancels, ${redrives} redrives; ${result.judged} runs were judged`)
  say(`${result.executions} executions of nodes in ${result.seconds} s`)
  say(
    `claims of killed workers, until somebody else had them: ${count}, p50 ${p50Ms} ms, p99 ${p99Ms} ms, max ${maxMs} ms`,
  )
  if (values?.json === true) process.stdout.write(`${JSON.stringify({ seed: chosenSeed, ...result })}\n`)
  process.stdout.write(`${lineOf(result)}\n`)
  if (result.lost + result.doubled + result.stuck > 0) process.exitCode = 1
}

function lineOf({ kills: killed, zombies, serverRestarts, runs, lost, doubled, stuck }: ChaosResult): string {
  const faults = `${killed} kills, ${zombies} zombies, ${serverRestarts} server restarts, ${runs} runs`
  return `${faults}: ${lost} lost, ${doubled} doubled, ${stuck} stuck`
}

function read() {
  try {
    return parseArgs({
      options: {
        adapter: { type: 'string' },
        kills: { type: 'string', default: '100' },
        seconds: { type: 'string' },
        seed: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 1
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** What was typed cannot be carried out. */
function refuse(line: string): void {
  say(line)
  process.exitCode = 2
}
