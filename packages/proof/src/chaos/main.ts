/** `npm run chaos -- --adapter file --kills K [--seconds S] [--storm S] [--brokers N] [--seed N] [--json] [--help]`. */
import { parseArgs } from 'node:util'
import { adapters, backendOf } from './backends/index.ts'
import { type ChaosResult, chaos } from './chaos.ts'
import { help } from './help.ts'
import { showProgress } from './progress.ts'

const FINDINGS_SHOWN = 40

const values = read()
const name = values?.adapter ?? 'file'
const backend = await backendOf(name)
const numbers = {
  kills: numberOf(values?.kills),
  seconds: numberOf(values?.seconds),
  storm: numberOf(values?.storm),
  brokers: numberOf(values?.brokers),
  seed: numberOf(values?.seed),
}
const mistake = mistakeIn(numbers)

if (values === undefined) process.exitCode = 2
else if (values.help === true) process.stdout.write(help)
else if (mistake !== undefined) refuse(mistake)
else await run(numbers)

async function run({ kills, seconds, storm, brokers, seed }: typeof numbers): Promise<void> {
  if (backend === undefined || kills === undefined) return
  const chosenSeed = seed ?? Math.floor(Math.random() * 1e9)
  say(`seed ${chosenSeed}`)
  const onProgress = showProgress(process.stderr, kills)
  const limits = {
    kills,
    ...(seconds === undefined ? {} : { seconds }),
    ...(storm === undefined ? {} : { stormSeconds: storm }),
    ...(brokers === undefined ? {} : { brokers }),
  }
  const result = await chaos({ backend, ...limits, seed: chosenSeed, onProgress, onTrouble: say })
  for (const { what, runId, detail } of result.findings.slice(0, FINDINGS_SHOWN)) say(`${what}: ${runId}: ${detail}`)
  const { count, p50Ms, p99Ms, maxMs } = result.recovery
  const { pauses, cancels, redrives } = result.operators
  say(`operators: ${pauses} pauses, ${cancels} cancels, ${redrives} redrives; ${result.judged} runs were judged`)
  if (result.returns > 0) say(`workers left and joined again: ${result.returns} times`)
  say(`${result.executions} executions of nodes in ${result.seconds} s`)
  say(
    `claims of killed workers, until somebody else had them: ${count}, p50 ${p50Ms} ms, p99 ${p99Ms} ms, max ${maxMs} ms`,
  )
  if (values?.json === true) process.stdout.write(`${JSON.stringify({ seed: chosenSeed, ...result })}\n`)
  process.stdout.write(`${lineOf(result)}\n`)
  if (result.lost + result.doubled + result.stuck > 0) process.exitCode = 1
}

/** What cannot be carried out of what was typed, in words. */
function mistakeIn({ kills, seconds, storm, brokers, seed }: typeof numbers): string | undefined {
  if (values === undefined || values.help === true) return undefined
  if (backend === undefined) return `No adapter ${name}; there is ${adapters.join(', ')}.`
  if (!isCount(kills)) return `--kills takes a number from 1, not ${values.kills}.`
  if (seconds !== undefined && !isCount(seconds)) return `--seconds takes a number from 1, not ${values.seconds}.`
  if (storm !== undefined && storm !== 0 && !isCount(storm))
    return `--storm takes a number from 0, not ${values.storm}.`
  if (seed !== undefined && !Number.isSafeInteger(seed)) return `--seed takes a whole number, not ${values.seed}.`
  if (brokers === undefined) return undefined
  if (backend.brokers === undefined) return `--brokers means nothing with ${name}.`
  return backend.brokers.includes(brokers)
    ? undefined
    : `--brokers takes ${backend.brokers.join(' or ')}, not ${values.brokers}.`
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
        storm: { type: 'string' },
        brokers: { type: 'string' },
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

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
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
