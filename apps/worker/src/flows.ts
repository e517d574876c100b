/**
 * Loads the flows that a process knows: an ES module that exports `flows`, a list or a record of them.
 *
 * `apps/worker` and `apps/client` hold the same copy of this file; a test compares them.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { RunnableFlow } from '@baton/core'
import { messageOf, mistake } from './environment.ts'

/** @param field where the file's name came from: `--flows` or `BATON_FLOWS`, for the error */
export async function loadFlows(file: string, field: string): Promise<readonly RunnableFlow[]> {
  const path = resolve(file)
  if (!existsSync(path)) throw mistake(field, `there is no file ${path}`, 'Name an ES module that exports `flows`.')
  const flows = toList((await load(path, field)).flows)
  if (flows === undefined || flows.length === 0 || !flows.every(isFlow)) {
    const hint = 'Write `export const flows = [flow]`, with what `createFlow` gave.'
    throw mistake(field, `${path} does not export flows`, hint)
  }
  return flows
}

async function load(path: string, field: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
  } catch (error) {
    const isSource = error instanceof Error && 'code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION'
    const hint = isSource
      ? 'This Node reads JavaScript only: build the file first, or start Node with `--import tsx`.'
      : 'Load the file with `node` alone to see where it fails.'
    throw mistake(field, `${path} cannot be loaded: ${messageOf(error)}`, hint)
  }
}

function toList(exported: unknown): readonly unknown[] | undefined {
  if (Array.isArray(exported)) return exported
  return typeof exported === 'object' && exported !== null ? Object.values(exported) : undefined
}

// By shape, not by class: the file may bring its own copy of core.
function isFlow(value: unknown): value is RunnableFlow {
  return typeof value === 'object' && value !== null && 'toBlueprint' in value && 'registry' in value
}
