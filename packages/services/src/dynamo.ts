/**
 * A DynamoDB for tests: what `BATON_TEST_DYNAMODB_URL` names, else DynamoDB Local or Dynoxide on a free port, else the
 * reason why there is none. How they differ from the real one: docs/decisions/0017-aws-emulators.md.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Emulator, type Place } from './emulator.ts'
import { findArchives, type JavaServer, javaCommand } from './java.ts'
import type { ServerCommand } from './server-process.ts'
import { fromVariable, missing } from './wanted.ts'

const URL_VARIABLE = 'BATON_TEST_DYNAMODB_URL'

const DYNAMODB_LOCAL: JavaServer = {
  name: 'dynamodb-local',
  main: 'software.amazon.dynamodb.services.local.main.ServerRunner',
}

export interface DynamoOptions {
  /** Which one plays it; a server that is given plays itself. */
  readonly kind: 'dynamodb-local' | 'dynoxide'
  /**
   * Keep everything in a file, so that what was acknowledged survives `kill()`. DynamoDB Local answers a transaction a
   * little before it is in the file: who looks for lost writes takes Dynoxide.
   */
  readonly durable?: boolean
  /** One of our own even where a URL is given: to be killed or frozen. */
  readonly own?: boolean
}

/** Starts or finds one. It may be shared: each test makes tables of its own. Disposing ends what was started. */
export async function startDynamo({ kind, durable = false, own = durable }: DynamoOptions): Promise<Emulator> {
  const given = fromVariable(URL_VARIABLE)
  if (given !== undefined && !own) return Emulator.at(given)
  const found = kind === 'dynoxide' ? findDynoxide(durable) : await findDynamoDbLocal(durable)
  if ('missing' in found) {
    return Emulator.missing(missing('dynamodb', `there is no ${kind}: ${found.missing}`, URL_VARIABLE))
  }
  return Emulator.start(kind, found.commandFor)
}

type Found = { readonly missing: string } | { readonly commandFor: (place: Place) => ServerCommand }

async function findDynamoDbLocal(durable: boolean): Promise<Found> {
  const archives = await findArchives(DYNAMODB_LOCAL)
  if ('missing' in archives) return archives
  return {
    commandFor: ({ port, folder }) => {
      const kept = durable ? ['-dbPath', folder] : ['-inMemory']
      const args = ['-disableTelemetry', '-sharedDb', '-port', String(port), ...kept]
      const libraries = { 'java.library.path': archives.folder }
      // It says nothing when it begins to listen.
      return { ...javaCommand(DYNAMODB_LOCAL, archives.folder, libraries, args), ready: { port } }
    },
  }
}

function findDynoxide(durable: boolean): Found {
  const command = dynoxideBinary()
  if (command === undefined) {
    return { missing: `it is installed for linux-x64 only, and this is ${process.platform}-${process.arch}` }
  }
  return {
    commandFor: ({ port, folder }) => {
      const kept = durable ? ['--db-path', join(folder, 'tables.db')] : []
      return { command, args: ['--port', String(port), ...kept], ready: /listening on/ }
    },
  }
}

function dynoxideBinary(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('@dynoxide/linux-x64/dynoxide')
  } catch {
    return undefined
  }
}
