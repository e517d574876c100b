/** What a person typed, as a command that can be carried out, or as mistakes that say what to type instead. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { mistake, nearestOf } from '@baton/compose'
import { type BatonError, JsonSerializer, parseRunId } from '@baton/core'
import { messageOf, parseFlowId } from '@baton/core/adapter'

export type Command =
  | { readonly name: 'help' }
  | {
      readonly name: 'start'
      readonly flow: string
      readonly flowsFile: string | undefined
      readonly input: unknown
      readonly runId: string | undefined
      readonly flowVersion: string | undefined
      readonly follow: boolean
      readonly json: boolean
    }
  | { readonly name: 'watch' | 'status'; readonly runId: string; readonly json: boolean }
  | { readonly name: 'schedules'; readonly json: boolean }
  | { readonly name: 'cancel'; readonly runId: string; readonly reason: string | undefined }
  | { readonly name: 'pause'; readonly runId: string; readonly reason: string; readonly by: string | undefined }
  | { readonly name: 'dead-letters'; readonly flow: string | undefined; readonly json: boolean }
  | {
      readonly name: 'redrive'
      readonly runId: string
      readonly instance: string | undefined
      readonly by: string | undefined
    }
  | { readonly name: 'unpause'; readonly runId: string; readonly by: string | undefined }
  | { readonly name: 'signal'; readonly runId: string; readonly signal: string; readonly payload: unknown }
  | {
      readonly name: 'approve' | 'deny'
      readonly runId: string
      readonly approval: string | undefined
      readonly by: string | undefined
      readonly reason: string | undefined
    }

const options = {
  flows: { type: 'string' },
  input: { type: 'string' },
  'input-file': { type: 'string' },
  'run-id': { type: 'string' },
  'flow-version': { type: 'string' },
  follow: { type: 'boolean', default: true },
  json: { type: 'boolean', default: false },
  payload: { type: 'string' },
  approval: { type: 'string' },
  by: { type: 'string' },
  flow: { type: 'string' },
  instance: { type: 'string' },
  reason: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

type Option = keyof typeof options

/** What each command is told: by place, then by name. */
const commands = {
  start: { places: ['flow'], options: ['flows', 'input', 'input-file', 'run-id', 'flow-version', 'follow', 'json'] },
  watch: { places: ['runId'], options: ['json'] },
  status: { places: ['runId'], options: ['json'] },
  schedules: { places: [], options: ['json'] },
  cancel: { places: ['runId'], options: ['reason'] },
  pause: { places: ['runId'], options: ['reason', 'by'] },
  unpause: { places: ['runId'], options: ['by'] },
  'dead-letters': { places: [], options: ['flow', 'json'] },
  redrive: { places: ['runId'], options: ['instance', 'by'] },
  signal: { places: ['runId', 'name'], options: ['payload'] },
  approve: { places: ['runId'], options: ['approval', 'by', 'reason'] },
  deny: { places: ['runId'], options: ['approval', 'by', 'reason'] },
} as const satisfies Record<string, { readonly places: readonly string[]; readonly options: readonly Option[] }>

type Name = keyof typeof commands
type Flags = ReturnType<typeof parse>['values']

/** Throws the first mistake it meets, `INVALID_OPTION` each. */
export function readCommand(args: readonly string[]): Command {
  const { values, positionals, tokens } = parse(args)
  const [name, ...places] = positionals
  if (values.help || name === 'help') return { name: 'help' }
  if (name === undefined || !isName(name)) throw unknownCommand(name)
  const command = commands[name]
  for (const token of tokens) {
    if (token.kind === 'option' && !command.options.some((known) => known === token.name)) {
      throw mistake(token.rawName, `is no option of ${name}`, hintFor(token.name, command.options))
    }
  }
  if (places.length !== command.places.length) {
    throw mistake('arguments', `${name} takes ${command.places.map((place) => `<${place}>`).join(' ')}`, usage(name))
  }
  return toCommand(name, places, values)
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, allowNegative: true, tokens: true })
  } catch (error) {
    const unknown = /Unknown option '(-[^']*)'/.exec(messageOf(error))?.[1]
    if (unknown === undefined) throw mistake('arguments', messageOf(error), 'See baton-client --help.')
    throw mistake(unknown, 'there is no such option', hintFor(unknown.replace(/^-+/, ''), Object.keys(options)))
  }
}

function toCommand(name: Name, [first = '', second = '']: readonly string[], values: Flags): Command {
  const { json, reason } = values
  switch (name) {
    case 'start':
      return {
        name,
        flow: parseFlowId(first, '<flow>'),
        flowsFile: values.flows,
        input: inputOf(values),
        runId: values['run-id'] === undefined ? undefined : parseRunId(values['run-id'], '--run-id'),
        flowVersion:
          values['flow-version'] === undefined ? undefined : parseFlowId(values['flow-version'], '--flow-version'),
        follow: values.follow,
        json,
      }
    case 'schedules':
      return { name, json }
    case 'watch':
    case 'status':
      return { name, runId: parseRunId(first), json }
    case 'cancel':
      return { name, runId: parseRunId(first), reason }
    case 'pause':
      if (reason === undefined) throw mistake('--reason', 'say why the run is paused', usage(name))
      return { name, runId: parseRunId(first), reason, by: values.by }
    case 'dead-letters':
      return { name, flow: values.flow === undefined ? undefined : parseFlowId(values.flow, '--flow'), json }
    case 'redrive':
      return { name, runId: parseRunId(first), instance: values.instance, by: values.by }
    case 'unpause':
      return { name, runId: parseRunId(first), by: values.by }
    case 'signal':
      return {
        name,
        runId: parseRunId(first),
        // Signals are named by the rule of flow ids.
        signal: parseFlowId(second, '<name>'),
        payload: fromJson(values.payload, '--payload'),
      }
    case 'approve':
    case 'deny':
      return { name, runId: parseRunId(first), approval: values.approval, by: values.by, reason }
  }
}

function inputOf({ input, 'input-file': file }: Flags): unknown {
  if (file === undefined) return fromJson(input, '--input')
  if (input !== undefined) throw mistake('--input-file', 'the input is given twice', 'Leave --input out.')
  try {
    return fromJson(readFileSync(file === '-' ? 0 : file, 'utf8'), '--input-file')
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    throw mistake('--input-file', messageOf(error), 'Name a file with JSON in it, or - for what is piped in.')
  }
}

function fromJson(text: string | undefined, field: string): unknown {
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw mistake(field, `is not JSON: ${messageOf(error)}`, `A text needs its quotes: ${field} '"Ada"'.`)
  }
  // What no store takes is refused before one is opened.
  new JsonSerializer().encode(value, field)
  return value
}

function isName(name: string): name is Name {
  return Object.hasOwn(commands, name)
}

function unknownCommand(name: string | undefined): BatonError {
  if (name === undefined) return mistake('command', 'say what to do', `One of ${Object.keys(commands).join(', ')}.`)
  const nearest = nearestOf(name, Object.keys(commands))
  const hint = nearest === undefined ? `There are ${Object.keys(commands).join(', ')}.` : `Did you mean ${nearest}?`
  return mistake('command', `there is no command ${name}`, hint)
}

function hintFor(name: string, known: readonly string[]): string {
  const nearest = nearestOf(name, known)
  return nearest === undefined
    ? `There are ${known.map((each) => `--${each}`).join(', ')}.`
    : `Did you mean --${nearest}?`
}

function usage(name: Name): string {
  const { places, options: known } = commands[name]
  return `baton-client ${name} ${places.map((place) => `<${place}>`).join(' ')} [${known.map((each) => `--${each}`).join('] [')}]`
}

export const help = `baton-client <command>

  start <flow>       start a run, follow it and print its output
    --flows FILE       the ES module that exports flows (BATON_FLOWS)
    --input JSON       the run's input; or --input-file FILE, - for what is piped in
    --run-id ID        the run's id; the same id with the same input is the same run
    --flow-version V   this version of the flow; default: the one listed last
    --no-follow        return as soon as the run is stored
  watch <runId>      follow a run to its end, from its beginning
  status <runId>     how it stands
  schedules          the flows that start again and again, and when
  cancel <runId>     ask it to stop (--reason TEXT)
  pause <runId>      let it go no further for now (--reason TEXT, --by NAME)
  unpause <runId>    let it go on (--by NAME)
  dead-letters       work that has failed for good (--flow ID)
  redrive <runId>    do its failed work over; prints the run that does it (--instance ID, --by NAME)
  signal <runId> <name>   send it news (--payload JSON)
  approve <runId>    say yes to what it asks (--approval NAME, --by NAME, --reason TEXT)
  deny <runId>       say no

  --json             start, watch, status, schedules, dead-letters: JSON on stdout, one object per line, the result last

BATON_STORE says where runs are kept (file:.baton), BATON_QUEUE what wakes workers (the store's own).
Exit code: 0 completed, 1 failed, cancelled or unreachable, 2 bad input.
`
