#!/usr/bin/env node
/** A caller: starts runs, follows them, answers them. One command, then it is gone; the runs go on. */
import {
  addressesOf,
  checkPorts,
  describeMistake,
  mistake,
  openPorts,
  type Ports,
  readEnvironment,
  type Values,
  whenParentIsGone,
} from '@baton/compose'
import { BatonClient, BatonError, type ErrorCode, type ILogger, type RunnableFlow } from '@baton/core'
import { Schedules } from '@baton/schedule'
import { type Command, help, readCommand } from './arguments.ts'
import { lettersOf } from './dead-letters.ts'
import { flowsFor, start } from './start.ts'
import { letterLine, lineOf, waitsOf } from './views.ts'
import { follow, printResult } from './watch.ts'

type Doing = Exclude<Command, { name: 'help' }>

const logger: ILogger = {
  log: (level, message) => level === 'debug' || level === 'info' || say(`${level}: ${message}`),
}

/** Bad input is told apart from what may work when tried again. */
const OUR_FAULT: ReadonlySet<ErrorCode> = new Set(['STORE_UNAVAILABLE', 'STORE_CORRUPT', 'QUEUE_UNAVAILABLE', 'CLOSED'])

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    const command = readCommand(args)
    if (command.name === 'help') {
      process.stdout.write(help)
      return 0
    }
    const { values, mistakes } = readEnvironment(process.env)
    if (mistakes.length > 0) return refuse(mistakes)
    // Nobody is left to read what we would say; the run goes on.
    whenParentIsGone(values, () => process.exit(1))
    const { store } = addressesOf(values)
    if (/^memory:/i.test(store.url)) {
      throw mistake(
        store.field,
        'a memory: store is seen by this process alone',
        'Name one that is shared: file:./data.',
      )
    }
    return await carryOut(command, values)
  } catch (error) {
    return refuse([error])
  }
}

async function carryOut(command: Doing, values: Values): Promise<number> {
  const isStart = command.name === 'start'
  // Whoever asks after a run expects it to be there: of a slip in the folder's name no new store is made.
  const [flows, found] = await Promise.allSettled([
    isStart ? flowsFor(command, values) : [],
    checkPorts(values, { mustExist: !isStart }),
  ])
  const mistakes = [
    ...(flows.status === 'rejected' ? [flows.reason] : []),
    ...(found.status === 'rejected' ? [found.reason] : found.value),
  ]
  if (flows.status === 'rejected' || mistakes.length > 0) return refuse(mistakes)
  const ports = await openPorts(values, { logger })
  try {
    return await answer(command, ports, flows.value)
  } finally {
    await Promise.all(Object.values(ports).map((port) => port.close()))
  }
}

async function answer(command: Doing, ports: Ports, flows: readonly RunnableFlow[]): Promise<number> {
  const { store, queue } = ports
  const get = (runId: string) => new BatonClient({ store, queue }).get(runId)
  switch (command.name) {
    case 'start': {
      const handle = await start(command, ports, flows)
      if (command.follow) return watch(handle, command.json)
      const { runId } = handle
      process.stdout.write(`${command.json ? JSON.stringify({ runId, status: await handle.status() }) : runId}\n`)
      return 0
    }
    case 'watch':
      return watch(get(command.runId), command.json)
    case 'status': {
      const summary = await get(command.runId).summary()
      process.stdout.write(`${command.json ? JSON.stringify(summary) : summary.status}\n`)
      if (!command.json) for (const line of waitsOf(summary)) say(line)
      return 0
    }
    case 'schedules': {
      const schedules = await new Schedules({ store, queue }).list()
      for (const schedule of schedules) {
        process.stdout.write(`${command.json ? JSON.stringify(schedule) : lineOf(schedule)}\n`)
      }
      return 0
    }
    case 'cancel': {
      const wasOpen = await get(command.runId).cancel(command.reason)
      say(wasOpen ? `${command.runId} is asked to stop` : await whyNot(get(command.runId), 'had ended before'))
      return wasOpen ? 0 : 1
    }
    case 'pause': {
      const { runId, reason, by } = command
      const isHeld = await get(runId).pause({ reason, ...withoutUndefined({ by }) })
      say(isHeld ? `${runId} is paused` : await whyNot(get(runId), 'had ended before, or is about to'))
      return isHeld ? 0 : 1
    }
    case 'unpause': {
      const { runId, by } = command
      const goesOn = await get(runId).unpause(withoutUndefined({ by }))
      say(goesOn ? `${runId} goes on` : await whyNot(get(runId), 'had ended before, or is about to'))
      return goesOn ? 0 : 1
    }
    case 'dead-letters': {
      for await (const letter of lettersOf(new BatonClient({ store }), command.flow)) {
        process.stdout.write(`${command.json ? JSON.stringify(letter) : letterLine(letter)}\n`)
      }
      return 0
    }
    case 'redrive': {
      const { runId, instance: instanceId, by } = command
      const again = await get(runId).redrive(withoutUndefined({ instanceId, by }))
      process.stdout.write(`${again.runId}\n`)
      return 0
    }
    case 'signal':
      await get(command.runId).signal(command.signal, command.payload)
      return 0
    case 'approve':
    case 'deny': {
      const { name, runId, ...given } = command
      await get(runId)[name](withoutUndefined(given))
      return 0
    }
  }
}

/** A limiter goes on for ever, whatever it is told. */
async function whyNot(handle: ReturnType<BatonClient['get']>, otherwise: string): Promise<string> {
  const { kind } = await handle.summary()
  return `${handle.runId} ${kind === 'limiter' ? 'keeps a limit: nobody can pause or cancel it' : otherwise}`
}

async function watch(handle: ReturnType<BatonClient['get']>, json: boolean): Promise<number> {
  const leave = new AbortController()
  const onSignal = () => (leave.signal.aborted ? process.exit(130) : leave.abort())
  // Not `once`: whoever restores the cursor of a terminal ends the process if it is the last one that listens.
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  const summary = await follow(handle, { json, signal: leave.signal })
  if (summary !== undefined) return printResult(summary, { json })
  say(`no longer following; the run goes on: baton-client watch ${handle.runId}`)
  return 130
}

function refuse(errors: readonly unknown[]): number {
  for (const error of errors) say(describeMistake(error))
  return errors.every((error) => BatonError.is(error) && !OUR_FAULT.has(error.code)) ? 2 : 1
}

function say(line: string): void {
  process.stderr.write(`baton-client: ${line}\n`)
}

type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

function withoutUndefined<T extends object>(object: T): Given<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Given<T>
}
