import { BullMQAdapter, RedisCoordinationStore } from '@flowcraft/bullmq-adapter'
import { runsOn, runtimeOptionsFor } from '../engines/flowcraft.ts'
import { CONCURRENCY, type ContenderOptions, type OpenContender, type RedisContender } from './contender.ts'
import { FlowcraftRedis } from './flowcraft-redis.ts'

type Connection = ConstructorParameters<typeof RedisCoordinationStore>[0]

/**
 * flowcraft with its BullMQ adapter and the BullMQ that it brings along. Left alone it works on five jobs at a time; it is given
 * as many places as the others.
 */
export const contender: RedisContender = {
  async open(options: ContenderOptions): Promise<OpenContender> {
    const { url, shape } = options
    const connection = new FlowcraftRedis(url, { maxRetriesPerRequest: null }) as unknown as Connection
    const adapter = new BullMQAdapter({
      connection,
      coordinationStore: new RedisCoordinationStore(connection),
      runtimeOptions: runtimeOptionsFor(options),
    })
    const run = runsOn(adapter, shape)
    adapter.start()
    widen(adapter)
    return {
      run,
      async [Symbol.asyncDispose]() {
        await adapter.close()
        connection.disconnect()
      },
    }
  },
}

function widen(adapter: BullMQAdapter): void {
  const { worker } = adapter as unknown as { readonly worker: { concurrency: number } }
  worker.concurrency = CONCURRENCY
}
