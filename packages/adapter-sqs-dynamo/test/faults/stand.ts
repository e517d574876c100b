/** A worker and a client that reach DynamoDB and SQS through a proxy each, and a store beside them that sees what is there. */
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { BatonClient, createFlow, type Flow, type NodeArguments, type RunHandle } from '@baton/core'
import type { ILogger, LogFields } from '@baton/core/adapter'
import { type Emulator, startDynamo, startSqs } from '@baton/services'
import { eventsOf } from '@baton/testing'
import { DynamoRunStore, SqsAdapter, type SqsAdapterOptions } from '../../src/index.ts'
import { createTable, newPrefix } from '../dynamo-world.ts'
import { createQueues } from '../sqs-world.ts'
import { FaultProxy } from './proxy.ts'

export interface Servers extends AsyncDisposable {
  readonly dynamo: Emulator
  readonly sqs: Emulator
  readonly skipReason: string | undefined
}

export async function startServers(): Promise<Servers> {
  const dynamo = await startDynamo({ kind: 'dynoxide' })
  const sqs = await startSqs({ kind: 'fauxqs' })
  return {
    dynamo,
    sqs,
    skipReason: dynamo.skipReason ?? sqs.skipReason,
    async [Symbol.asyncDispose]() {
      await Promise.all([dynamo[Symbol.asyncDispose](), sqs[Symbol.asyncDispose]()])
    },
  }
}

export interface Logged {
  readonly level: string
  readonly message: string
  readonly fields: LogFields
}

export class Stand implements AsyncDisposable {
  readonly dynamo: FaultProxy
  readonly sqs: FaultProxy
  readonly flow: Flow<number>
  readonly adapter: SqsAdapter
  /** Past the proxies. */
  readonly direct: DynamoRunStore
  readonly logged: Logged[]
  /** How often a node was executed, whatever became of it. */
  readonly executions: { count: number }
  readonly #baton: BatonClient
  readonly #close: readonly (() => unknown)[]

  private constructor(
    parts: Pick<Stand, 'dynamo' | 'sqs' | 'flow' | 'adapter' | 'direct' | 'logged' | 'executions'>,
    close: readonly (() => unknown)[],
  ) {
    this.dynamo = parts.dynamo
    this.sqs = parts.sqs
    this.flow = parts.flow
    this.adapter = parts.adapter
    this.direct = parts.direct
    this.logged = parts.logged
    this.executions = parts.executions
    this.#close = close
    this.#baton = new BatonClient({ store: this.direct, queue: this.adapter.queue, flows: [this.flow] })
  }

  /** With times that are a fifteenth of what they are otherwise: a minute is four seconds. */
  static async on(
    servers: Servers,
    options: Partial<SqsAdapterOptions> = {},
    dynamoConfig: DynamoDBClientConfig = {},
  ): Promise<Stand> {
    const { client, table } = await createTable(servers.dynamo)
    const queues = await createQueues(servers.sqs.clientOptions)
    const dynamo = await FaultProxy.before(servers.dynamo)
    const sqs = await FaultProxy.before(servers.sqs)
    const logged: Logged[] = []
    const logger: ILogger = { log: (level, message, fields) => void logged.push({ level, message, fields }) }
    const executions = { count: 0 }
    const flow = countingFlow(executions)
    const prefix = newPrefix()
    const adapter = new SqsAdapter({
      table,
      prefix,
      queueName: queues.options.queue,
      ...(queues.options.deadLetterQueue === undefined ? {} : { deadLetterQueue: queues.options.deadLetterQueue }),
      dynamo: { ...dynamo.clientOptions, ...dynamoConfig },
      sqs: sqs.clientOptions,
      runtimeOptions: { flows: [flow] },
      leaseMs: 2_000,
      sweepMs: 330,
      redispatchMs: 2_000,
      timeoutMs: 1_000,
      waitMs: 1_000,
      visibilityMs: 4_000,
      pollMs: 130,
      logger,
      ...options,
    })
    const direct = await DynamoRunStore.connect({ client, table, prefix, redispatchMs: 2_000, pollMs: 500 })
    const close = [
      () => adapter.close(),
      () => direct.close(),
      () => dynamo[Symbol.asyncDispose](),
      () => sqs[Symbol.asyncDispose](),
      () => client.destroy(),
      () => queues.client.destroy(),
    ]
    return new Stand({ dynamo, sqs, flow, adapter, direct, logged, executions }, close)
  }

  /** Past the proxy, but for their jobs. */
  start(count: number): Promise<RunHandle[]> {
    return Promise.all(Array.from({ length: count }, (_, index) => this.#baton.start(this.flow, index)))
  }

  /** Waits until they have ended, and counts what has taken effect. */
  async counted(runs: readonly Started[]): Promise<Counts[]> {
    await Promise.all(runs.map((run) => this.#baton.get(run.runId).outcome()))
    return Promise.all(runs.map((run) => this.#countsOf(run)))
  }

  async #countsOf({ runId }: Started): Promise<Counts> {
    const record = await this.direct.load(runId)
    const events = await eventsOf(this.direct, runId)
    const succeeded = events.filter(({ type }) => type === 'node-succeeded').length
    const { visits = 0 } = (record?.context ?? {}) as { readonly visits?: number }
    return { status: record?.status ?? 'unknown', succeeded, visits }
  }

  lines(message: string, level?: string): readonly Logged[] {
    return this.logged.filter((line) => line.message === message && (level === undefined || line.level === level))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#close) await close()
  }
}

type Started = Pick<RunHandle, 'runId'>

export interface Counts {
  readonly status: string
  readonly succeeded: number
  readonly visits: number
}

export const NODES = 6

/** Of a run that has ended well, each of whose commits took effect once. */
export const ONCE: Counts = { status: 'completed', succeeded: NODES, visits: NODES }

/** A line of nodes, each of which counts itself in the context, and takes a moment. */
function countingFlow(executions: { count: number }): Flow<number> {
  const visit = async ({ input, context }: NodeArguments<number>) => {
    executions.count += 1
    await context.increment('visits', 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    return { output: input + 1 }
  }
  let flow: Flow<number> = createFlow<number>('counting').node('n0', visit, { uses: 'counting/n' })
  for (let index = 1; index < NODES; index++) {
    flow = flow.node(`n${index}`, visit, { uses: 'counting/n' }).edge(`n${index - 1}`, `n${index}`)
  }
  return flow
}
