#!/usr/bin/env node
/** A worker process: read the configuration, compose, run, and stop well when told to. */
import { hostname } from 'node:os'
import { describeMistake } from '@baton/compose'
import { BatonError } from '@baton/core'
import { help, readConfig, type WorkerConfig } from './config.ts'
import { createLogger } from './log.ts'
import { startWorker, stopWhenAsked } from './run.ts'

const EXIT_BAD_INPUT = 2
/** All that was said is right, and a later start may succeed. */
const EXIT_UNAVAILABLE = 1

// Whoever read our log may be gone; that is no reason to drop the work.
process.stderr.on('error', () => {})

const read = readConfig(process.argv.slice(2), process.env, {
  isTerminal: process.stderr.isTTY === true,
  hostName: hostname(),
  pid: process.pid,
})
switch (read.type) {
  case 'help':
    process.stdout.write(help)
    break
  case 'mistakes':
    refuse(read.mistakes)
    break
  case 'config':
    await run(read.config)
}

async function run(config: WorkerConfig): Promise<void> {
  const { logFormat: format, logLevel: level } = config
  const logger = createLogger({ format, level, write: (line) => process.stderr.write(line) })
  const started = await startWorker(config, logger)
  if ('mistakes' in started) return refuse(started.mistakes)
  stopWhenAsked(started, config, logger)
}

/** One line per mistake, all of them at once. */
function refuse(mistakes: readonly unknown[]): void {
  for (const mistake of mistakes) process.stderr.write(`baton-worker: ${describeMistake(mistake)}\n`)
  const isUnavailable = mistakes.every((mistake) => BatonError.is(mistake, 'STORE_UNAVAILABLE'))
  process.exitCode = isUnavailable ? EXIT_UNAVAILABLE : EXIT_BAD_INPUT
}
