/** A worker's life in its process: it starts whole or not at all, and ends when it is told to. */
import { addressesOf, loadFlows, openPorts, whenParentIsGone } from '@baton/compose'
import { defaults, type ILogger } from '@baton/core'
import { BaseDistributedAdapter } from '@baton/core/adapter'
import type { WorkerConfig } from './config.ts'
import { type Health, type HealthServer, serveHealth } from './health.ts'

/** One queue and one store, tied together by the engine. The ports may come from two technologies. */
class ComposedAdapter extends BaseDistributedAdapter {}

export interface RunningWorker {
  /** Ends gracefully: takes nothing new, finishes or hands back what runs, closes the stores. */
  stop(): Promise<void>
}

/** How long after the bound a worker that hangs is ended by force; its leases then run out by themselves. */
const FORCE_AFTER_MS = 2_000

export async function startWorker(
  config: WorkerConfig,
  logger: ILogger,
): Promise<RunningWorker | { readonly mistakes: readonly unknown[] }> {
  const { values, flows: source, workerId, concurrency, leaseMs, sweepMs, stopWithinMs, retentionMs } = config
  // Both are tried before either is complained about: one start should show all that is wrong.
  const [flows, ports] = await Promise.allSettled([loadFlows(source), openPorts(values, { logger })])
  if (flows.status === 'rejected' || ports.status === 'rejected') {
    if (ports.status === 'fulfilled') await Promise.allSettled(Object.values(ports.value).map((port) => port.close()))
    return { mistakes: [flows, ports].flatMap((each) => (each.status === 'rejected' ? [each.reason] : [])) }
  }
  let adapter: ComposedAdapter
  let health: HealthServer | undefined
  const startedAtMs = performance.now()
  let stopping: Promise<void> | undefined
  try {
    adapter = new ComposedAdapter({
      ...ports.value,
      runtimeOptions: { flows: flows.value },
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
    const look = (): Health => ({
      status: stopping === undefined ? 'ok' : 'stopping',
      workerId,
      running: adapter.running.length,
      uptimeMs: Math.round(performance.now() - startedAtMs),
      stopping: stopping !== undefined,
    })
    health = config.health === undefined ? undefined : await serveHealth(config.health, look)
  } catch (error) {
    await Promise.allSettled(Object.values(ports.value).map((port) => port.close()))
    return { mistakes: [error] }
  }
  adapter.start()
  const names = flows.value.map((flow) => nameOf(flow.toBlueprint()))
  const { store } = addressesOf(values)
  logger.log('info', 'worker is ready', {
    workerId,
    flows: names,
    store: withoutPassword(store.url),
    health: health?.url,
  })
  if (/^memory:/i.test(store.url)) logger.log('warn', 'a memory: store is seen by this process alone', { workerId })

  const stop = async () => {
    await adapter.close()
    await health?.close()
  }
  return {
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

/** The first signal asks; the second does not ask again. A parent that is gone asks as well, if it said it would. */
export function stopWhenAsked(worker: RunningWorker, config: WorkerConfig, logger: ILogger): void {
  const { workerId, stopWithinMs, values } = config
  let asked = false
  const onSignal = (signal: 'SIGTERM' | 'SIGINT') => {
    if (!asked) return stop({ signal })
    logger.log('warn', 'asked twice: leaving at once, the leases run out by themselves', { workerId, signal })
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  const stop = (why: { readonly signal: string } | { readonly parent: 'gone' }) => {
    asked = true
    logger.log('info', 'worker stops', { workerId, ...why, stopWithinMs })
    const force = setTimeout(() => {
      logger.log('error', 'worker did not stop in time: leaving, the leases run out by themselves', { workerId })
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
  whenParentIsGone(values, () => asked || stop({ parent: 'gone' }))
}

function nameOf({ id, metadata }: { readonly id: string; readonly metadata?: { readonly version?: string } }): string {
  return metadata?.version === undefined ? id : `${id}@${metadata.version}`
}

function withoutPassword(url: string): string {
  return url.replace(/^([^:/]+:\/\/)[^/@]*@/, '$1')
}
