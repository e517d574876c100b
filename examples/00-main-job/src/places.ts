/** Where the demo's run and its jobs are: which store goes with which queue, and both of them opened. */
import { checkKafka, openKafka } from './kafka.ts'
import { Mistake } from './mistake.ts'
import { checkStore, openStore, type StoreKind } from './store.ts'

export const queueKinds = ['kafka'] as const
export type QueueKind = (typeof queueKinds)[number]

export interface PlaceKinds {
  readonly store: StoreKind
  /** Undefined for the store's own. */
  readonly queue: QueueKind | undefined
}

export interface DemoPlace {
  /** What the processes are told. */
  readonly env: Readonly<Record<string, string>>
  /** In a sentence. */
  readonly told: string
  /** The variables by which the run can be looked at afterwards, without a password; absent: it goes with the demo. */
  readonly shown?: string
  close(): Promise<void>
}

export function isQueueKind(text: string): text is QueueKind {
  return queueKinds.some((kind) => kind === text)
}

/** Throws a `Mistake` where one of them cannot be had: before anything is started, and nothing is written. */
export async function checkPlaces({ store, queue }: PlaceKinds): Promise<void> {
  if (queue !== undefined && store === 'files') {
    const hint = 'Kafka keeps no runs: put them on a server with --store redis, or --store dynamo.'
    throw new Mistake(`--queue ${queue} does not go with a store of files`, hint)
  }
  await checkStore(store, { isQueueElsewhere: queue !== undefined })
  if (queue !== undefined) await checkKafka()
}

export interface PlaceOptions {
  /** The folder of this demo. */
  readonly home: string
  /** What takes long. */
  readonly say: (line: string) => void
}

export async function openPlaces({ store, queue }: PlaceKinds, { home, say }: PlaceOptions): Promise<DemoPlace> {
  if (queue === undefined) return openStore(store, home, { isQueueElsewhere: false })
  const jobs = await openKafka(say)
  try {
    return together(await openStore(store, home, { isQueueElsewhere: true }), jobs)
  } catch (error) {
    await jobs.close()
    throw error
  }
}

function together(runs: DemoPlace, jobs: DemoPlace): DemoPlace {
  return {
    env: { ...runs.env, ...jobs.env },
    told: `${runs.told} ${jobs.told}`,
    ...(runs.shown === undefined ? {} : { shown: `${runs.shown} ${jobs.shown}` }),
    async close() {
      await runs.close()
      await jobs.close()
    },
  }
}
