/**
 * An SQS for tests: what `BATON_TEST_SQS_URL` names, else ElasticMQ or fauxqs on a free port, else the reason why there
 * is none. How they differ from the real one: docs/decisions/0017-aws-emulators.md.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Emulator, type Place } from './emulator.ts'
import { findArchives, type JavaServer, javaCommand } from './java.ts'
import { fromVariable, missing } from './wanted.ts'

const URL_VARIABLE = 'BATON_TEST_SQS_URL'

const ELASTICMQ: JavaServer = { name: 'elasticmq', main: 'org.elasticmq.server.Main' }

const FAUXQS = fileURLToPath(new URL('../fauxqs/server.mjs', import.meta.url))

interface SharedOptions {
  /** One of our own even where a URL is given: to be killed or frozen. */
  readonly own?: boolean
}

export type SqsOptions =
  | (SharedOptions & {
      readonly kind: 'elasticmq'
      /** Keep everything in a file, so that what was acknowledged survives `kill()`. */
      readonly durable?: boolean
    })
  // It has nothing but its memory.
  | (SharedOptions & { readonly kind: 'fauxqs'; readonly durable?: false })

/** Starts or finds one. It may be shared: each test makes queues of its own. Disposing ends what was started. */
export async function startSqs({ kind, durable = false, own = durable }: SqsOptions): Promise<Emulator> {
  const given = fromVariable(URL_VARIABLE)
  if (given !== undefined && !own) return Emulator.at(given)
  return kind === 'fauxqs' ? startFauxqs() : startElasticMq(durable)
}

function startFauxqs(): Promise<Emulator> {
  return Emulator.start('fauxqs', ({ port }) => ({
    command: process.execPath,
    args: [FAUXQS, String(port)],
    ready: /listening/,
  }))
}

async function startElasticMq(durable: boolean): Promise<Emulator> {
  const archives = await findArchives(ELASTICMQ)
  if ('missing' in archives) {
    return Emulator.missing(missing('sqs', `there is no elasticmq: ${archives.missing}`, URL_VARIABLE))
  }
  return Emulator.start('elasticmq', (place) => {
    const config = join(place.folder, 'elasticmq.conf')
    writeFileSync(config, elasticMqConfig(place, durable))
    return {
      ...javaCommand(ELASTICMQ, archives.folder, { 'config.file': config }),
      ready: /ElasticMQ server .* started/,
    }
  })
}

function elasticMqConfig({ port, folder }: Place, durable: boolean): string {
  // Without this H2 syncs twice a second, and a kill takes what it has not written yet.
  const file = `jdbc:h2:${join(folder, 'messages')};WRITE_DELAY=0`
  return `
    include classpath("application.conf")
    generate-node-address = true
    rest-sqs { bind-port = ${port}, bind-hostname = "127.0.0.1", sqs-limits = strict }
    rest-stats { enabled = false }
    messages-storage { enabled = ${durable}, uri = "${file}" }
  `
}
