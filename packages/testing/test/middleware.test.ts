/** Code around node code: with a store and without, in order, and as part of the attempt. */
import {
  BatonError,
  createFlow,
  FlowRuntime,
  InMemoryRunStore,
  type NodeArguments,
  type NodeExecution,
  type NodeMiddleware,
} from '@baton/core'
import { describe, expect, it } from 'vitest'
import { TestClock } from '../src/index.ts'

const bad = (value: unknown) => value as never

/** The same runtime twice: on a store, and on nothing. */
function runtimes(middleware: readonly NodeMiddleware[], clock = new TestClock()) {
  return [
    { clock, runtime: new FlowRuntime({ middleware, clock }) },
    { clock, runtime: new FlowRuntime({ middleware, clock, store: new InMemoryRunStore({ clock }) }) },
  ]
}

describe('middleware', () => {
  it('is entered in order and left in the other, around every node and every item of a map', async () => {
    for (const name of ['plain', 'stored'] as const) {
      const told: string[] = []
      const note =
        (who: string): NodeMiddleware =>
        async ({ instanceId }, next) => {
          told.push(`${who}> ${instanceId}`)
          const result = await next()
          told.push(`<${who} ${instanceId}`)
          return result
        }
      const flow = createFlow('order')
        .node('list', () => {
          told.push('code')
          return { output: [1] }
        })
        .map('each', ({ input }: NodeArguments<number>) => ({ output: input * 2 }))
        .edge('list', 'each')
      const [plain, stored] = runtimes([note('a'), note('b')])
      const used = name === 'plain' ? plain : stored
      if (used === undefined) throw new Error('there are two')

      const result = await used.clock.until(used.runtime.run(flow))
      await used.clock.until(used.runtime.stop())

      expect(result).toMatchObject({ status: 'completed', output: [2] })
      expect(told).toEqual([
        ...['a> list', 'b> list', 'code', '<b list', '<a list'],
        ...['a> each[0]', 'b> each[0]', '<b each[0]', '<a each[0]'],
      ])
    }
  })

  it('sees what is executed: flow, run, instance, attempt and input', async () => {
    for (const { clock, runtime } of runtimes([
      (execution, next) => {
        seen.push(toPlain(execution))
        return next()
      },
    ])) {
      seen.length = 0
      const flow = createFlow<number>('seen', { version: '2' }).node(
        'a',
        ({ attempt }) => {
          if (attempt === 1) throw new Error('once')
        },
        { retry: { attempts: 2, delayMs: 1 }, params: { p: 1 } },
      )
      await clock.until(runtime.run(flow, 7, { runId: 'r', tags: ['t'] }))
      await clock.until(runtime.stop())

      const first = { flow: 'seen@2', runId: 'r', tags: ['t'], traceId: 'r', instanceId: 'a', nodeId: 'a', attempt: 1 }
      const both = { ...first, input: 7, params: { p: 1 }, idempotencyKey: 'r/a' }
      expect(seen).toEqual([both, { ...both, attempt: 2 }])
    }
  })

  it('may change the result, answer in place of the node, and fail the attempt', async () => {
    const ran: string[] = []
    const middleware: NodeMiddleware = async ({ nodeId, attempt }, next) => {
      if (nodeId === 'cached') return { output: 'from the cache', action: 'known' }
      if (nodeId === 'refused' && attempt === 1) throw new Error('not allowed')
      const result = await next()
      return { ...result, output: `<${String(result?.output)}>` }
    }
    const node = ({ nodeId, input }: NodeArguments) => {
      ran.push(nodeId)
      return { output: `${nodeId} of ${String(input)}` }
    }
    const flow = createFlow('changed')
      .node('cached', node)
      .node('refused', node, { retry: { attempts: 2, delayMs: 1 } })
      .node('never', node)
      .edge('cached', 'refused', { action: 'known' })
      .edge('cached', 'never', { action: 'unknown' })
    for (const { clock, runtime } of runtimes([middleware])) {
      ran.length = 0
      const result = await clock.until(runtime.run(flow))
      await clock.until(runtime.stop())
      expect(result).toMatchObject({ status: 'completed', output: '<refused of from the cache>' })
      expect(ran).toEqual(['refused'])
    }
  })

  it('hears of an invocation that parks or is over, and its word counts for nothing then', async () => {
    const told: unknown[] = []
    const middleware: NodeMiddleware = async ({ nodeId }, next) => {
      try {
        return await next()
      } catch (error) {
        told.push([nodeId, BatonError.is(error) ? error.code : error])
        return { output: 'made up' }
      }
    }
    const flow = createFlow('parks')
      .node('sleeps', async ({ sleep, step }: NodeArguments) => {
        const first = await step('s', () => 1)
        await sleep(10)
        return { output: first }
      })
      .node(
        'hangs',
        ({ signal }: NodeArguments) =>
          new Promise<never>((_, reject) => {
            signal.addEventListener('abort', () => reject(new Error('told to stop')))
          }),
        { timeoutMs: 50 },
      )
      .edge('sleeps', 'hangs')
    for (const { clock, runtime } of runtimes([middleware])) {
      told.length = 0
      const result = await clock.until(runtime.run(flow))
      await clock.until(runtime.stop())
      expect(result).toMatchObject({ status: 'failed', error: { code: 'NODE_TIMEOUT' } })
      expect(told).toEqual([
        ['sleeps', 'ATTEMPT_ENDED'],
        ['hangs', 'ATTEMPT_ENDED'],
      ])
    }
  })

  it('has its time counted, and holds its place until code that it did not wait for has ended', async () => {
    const slow: NodeMiddleware = () => new Promise<never>(() => {})
    for (const { clock, runtime } of runtimes([slow])) {
      const flow = createFlow('slow').node('a', () => undefined, { timeoutMs: 50 })
      expect(await clock.until(runtime.run(flow))).toMatchObject({ error: { code: 'NODE_TIMEOUT' } })
      await clock.until(runtime.stop())
    }
    const order: string[] = []
    const hasty: NodeMiddleware = (_execution, next) => {
      void next().then(() => order.push('heard'))
      return { output: 'hasty' }
    }
    for (const { clock, runtime } of runtimes([hasty])) {
      order.length = 0
      const flow = createFlow('hasty').node('a', async ({ step }: NodeArguments) => {
        await step('s', () => 1)
        order.push('code')
      })
      const result = await clock.until(runtime.run(flow))
      await clock.until(runtime.stop())
      expect(result).toMatchObject({ status: 'completed', output: 'hasty' })
      expect(order).toEqual(['code', 'heard'])
    }
  })

  it('may go on only once', async () => {
    const twice: NodeMiddleware = async (_execution, next) => {
      await next()
      return next()
    }
    for (const { clock, runtime } of runtimes([twice])) {
      const flow = createFlow('twice').node('a', () => ({ output: 1 }))
      const result = await clock.until(runtime.run(flow))
      await clock.until(runtime.stop())
      expect(result).toMatchObject({ status: 'failed', error: { code: 'INVALID_OPTION' } })
    }
  })

  it.each([
    [{ middleware: () => undefined }, 'middleware'],
    [{ middleware: [5] }, 'middleware[0]'],
    [{ worker: { middleware: [5] } }, 'worker.middleware[0]'],
  ])('that is none is refused: %j', (options, field) => {
    expect(() => new FlowRuntime(bad(options))).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', field }))
  })
})

const seen: unknown[] = []

function toPlain({ run, runId, instanceId, nodeId, attempt, input, params, idempotencyKey }: NodeExecution) {
  const { flowId, version, tags, correlation } = run
  const { traceId } = correlation
  return {
    flow: `${flowId}@${version}`,
    tags,
    traceId,
    runId,
    instanceId,
    nodeId,
    attempt,
    input,
    params,
    idempotencyKey,
  }
}
