/** A worker's life in its process: it starts whole or not at all, and ends when it is told to. */
import { addressesOf, checkPorts, loadFlows, maskedUrl, openPorts, whenParentIsGone } from '@baton/compose'
import { defaults, type ILogger, type RunnableFlow } from '@baton/core'
import { BaseDistributedAdapter, Registry } from '@baton/core/adapter'
import { withSchedules } from '@baton/schedule'
import type { WorkerConfig } from './config.ts'
import { type Health, type HealthServer, serveHealth } from './health.ts'

/** One queue and one store, tied together by the engine. The ports may come from two technologies. */
class ComposedAdapter extends BaseDistributedAdapter {}

export interface RunningWorker {
  /** Ends gracefully: takes nothing new, finishes or hands back what runs, closes the stores. */
  stop(): Promise<void>
}

/**
 * How long after the bound a worker that hangs is ended by force; its leases then run out by themselves. Longer than a worker and
 * its ports wait for the last answers of servers that are frozen.
 */
const FORCE_AFTER_MS = 4_000

/** Some tools send their signal to the process and to its group: what comes so soon after the first is no second one. */
const ONE_SIGNAL_MS = 500

interface Prepared {
  readonly flows: readonly RunnableFlow[]
  readonly health: HealthServer | undefined
}

/** What has to be right before anything is opened: opening a store may make its folders. */
async function prepare(
  { values, flows: source, health }: WorkerConfig,
  look: () => Health,
): Promise<Prepared | { readonly mistakes: readonly unknown[] }> {
  // All are tried before any is complained about: one start should show all that is wrong.
  const [flows, ports, server] = await Promise.allSettled([
    loadFlows(source).then((loaded) => {
      // Looks at what they say, and at whether they can be told apart.
      new Registry({ flows: loaded })
      return loaded
    }),
    checkPorts(values),
    health === undefined ? undefined : serveHealth(health, look),
  ])
  const mistakes = [
    ...(flows.status === 'rejected' ? [flows.reason] : []),
    ...(ports.status === 'rejected' ? [ports.reason] : ports.value),
    ...(server.status === 'rejected' ? [server.reason] : []),
  ]
  const serving = server.status === 'fulfilled' ? server.value : undefined
  if (flows.status === 'fulfilled' && mistakes.length === 0) return { flows: flows.value, health: serving }
  await serving?.close()
  return { mistakes }
}

export async function startWorker(
  config: WorkerConfig,
  logger: ILogger,
): Promise<RunningWorker | { readonly mistakes: readonly unknown[] }> {
  const { values, workerId, concurrency, leaseMs, sweepMs, stopWithinMs, retentionMs } = config
  const startedAtMs = performance.now()
  let adapter: ComposedAdapter | undefined
  let stopping: Promise<void> | undefined
  const look = (): Health => ({
    status: stopping !== undefined ? 'stopping' : adapter === undefined ? 'starting' : 'ok',
    workerId,
    running: adapter?.running.length ?? 0,
    uptimeMs: Math.round(performance.now() - startedAtMs),
    stopping: stopping !== undefined,
  })
  const prepared = await prepare(config, look)
  if ('mistakes' in prepared) return prepared
  const { flows, health } = prepared
  let opened: ComposedAdapter
  try {
    const ports = await openPorts(values, { logger })
    try {
      opened = new ComposedAdapter({
        ...ports,
        // Their schedules are kept wherever the flows are.
        runtimeOptions: { flows: withSchedules(flows) },
        workerId,
        concurrency,
        leaseMs,
        sweepMs,
        stopWithinMs,
        // Of the time to stop in, the last part is for code that is slow to hear its signal.
        abandonAfterMs: Math.min(defaults.abandonAfterMs, Math.ceil(stopWithinMs / 2)),
        retentionMs,
        logger,
      })
    } catch (error) {
      await Promise.allSettled(Object.values(ports).map((port) => port.close()))
      throw error
    }
  } catch (error) {
    await health?.close()
    return { mistakes: [error] }
  }
  adapter = opened
  adapter.start()
  const names = flows.map((flow) => nameOf(flow.toBlueprint()))
  const { store } = addressesOf(values)
  logger.log('info', 'worker is ready', {
    workerId,
    flows: names,
    store: maskedUrl(store.url),
    health: health?.url,
  })
  if (/^memory:/i.test(store.url)) logger.log('warn', 'a memory: store is seen by this process alone', { workerId })

  const stop = async () => {
    await opened.close()
    await health?.close()
  }
  return {
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

/** The first signal asks; a second one, if it is one, does not ask again. A parent that is gone asks as well, if it said it would. */
export function stopWhenAsked(worker: RunningWorker, config: WorkerConfig, logger: ILogger): void {
  const { workerId, stopWithinMs, values } = config
  let askedAtMs: number | undefined
  const onSignal = (signal: 'SIGTERM' | 'SIGINT') => {
    if (askedAtMs === undefined) return stop({ signal })
    if (performance.now() - askedAtMs < ONE_SIGNAL_MS) return
    logger.log('warn', 'asked twice: leaving at once, the leases run out by themselves', { workerId, signal })
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  const stop = (why: { readonly signal: string } | { readonly parent: 'gone' }) => {
    askedAtMs = performance.now()
    logger.log('info', 'worker stops', { workerId, ...why, stopWithinMs })
    const force = setTimeout(() => {
      logger.log(
        'error',
        'worker did not stop in time: leaving; what it did not hand back waits for its lease to run out',
        { workerId },
      )
      process.exit(1)
    }, stopWithinMs + FORCE_AFTER_MS)
    worker.stop().then(
      () => {
        clearTimeout(force)
        logger.log('info', 'worker has stopped', { workerId })
        // Timers of node code may still be armed; nothing of ours is left.
        process.exit(0)
      },
      (error: unknown) => {
        logger.log('error', 'worker could not stop cleanly', { workerId, error })
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  whenParentIsGone(values, () => askedAtMs === undefined && stop({ parent: 'gone' }))
}

function nameOf({ id, metadata }: { readonly id: string; readonly metadata?: { readonly version?: string } }): string {
  return metadata?.version === undefined ? id : `${id}@${metadata.version}`
}
