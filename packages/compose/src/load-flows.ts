/** Loads the flows that a process knows: an ES module that exports `flows`, a list or a record of them. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { RunnableFlow } from '@baton/core'
import { messageOf } from '@baton/core/adapter'
import type { Values } from './environment.ts'
import { mistake } from './mistake.ts'

/** The module with the flows, and who named it. */
export interface FlowsFile {
  readonly file: string
  readonly field: string
}

/** The file that was typed behind `--flows`, else the one that the environment names, if any. */
export function flowsFileOf({ BATON_FLOWS }: Values, typed?: string): FlowsFile | undefined {
  if (typed !== undefined) return { file: typed, field: '--flows' }
  return BATON_FLOWS === undefined ? undefined : { file: BATON_FLOWS, field: 'BATON_FLOWS' }
}

/** Throws `INVALID_OPTION` for a file that is not there, cannot be loaded, or exports no flows. */
export async function loadFlows({ file, field }: FlowsFile): Promise<readonly RunnableFlow[]> {
  const path = resolve(file)
  if (!existsSync(path)) throw mistake(field, `there is no file ${path}`, 'Name an ES module that exports `flows`.')
  const flows = toList((await load(path, field)).flows)
  const hint = 'Write `export const flows = [flow]`, with what `createFlow` gave.'
  if (flows === undefined || !flows.every(isFlow)) throw mistake(field, `${path} does not export flows`, hint)
  if (flows.length === 0) throw mistake(field, `the list of flows in ${path} is empty`, hint)
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
