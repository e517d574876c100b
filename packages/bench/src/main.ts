/** `npm run bench -- <suite> [--json] [--rounds N] [--only workload]`. */
import { parseArgs } from 'node:util'
import { thisMachine } from './machine.ts'
import { measure } from './measure.ts'
import { toJson, toTables } from './report.ts'
import { suites } from './suites/index.ts'

const { values, positionals } = read()
const [name = 'core'] = positionals
const suite = Object.hasOwn(suites, name) ? suites[name] : undefined
const rounds = Number(values.rounds)

if (suite === undefined) refuse(`No suite ${name}; there is ${Object.keys(suites).join(', ')}.`)
else if (!Number.isInteger(rounds) || rounds < 1) refuse(`--rounds takes a number from 1, not ${values.rounds}.`)
else {
  const machine = thisMachine()
  const results = await measure(suite, { rounds, only: values.only, onSample: say })
  const tables = `\n${toTables(suite, machine, results)}\n`
  // Stdout is one JSON object or one report; whoever reads the one does not want the other before it.
  if (values.json) say(tables)
  process.stdout.write(`${values.json ? toJson(suite, machine, results) : tables}\n`)
}

function read() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '5' }, only: { type: 'string' } },
    })
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
