/** The flows that the suites use. Each takes a witness, which sees every call of node code. */
import { createFlow, type Flow, type NodeArguments } from '@baton/core'

/** Sees node code being called, and by whom. */
export class Witness {
  readonly #visits: { readonly runId: string; readonly instanceId: string; readonly attempt: number }[] = []

  see({ runId, instanceId, attempt }: Pick<NodeArguments, 'runId' | 'instanceId' | 'attempt'>): void {
    this.#visits.push({ runId, instanceId, attempt })
  }

  /** The instances that were executed, in order; of one run, or of all. */
  visits(runId?: string): string[] {
    return this.#visits
      .filter((visit) => runId === undefined || visit.runId === runId)
      .map(({ instanceId }) => instanceId)
  }

  count(instanceId: string, runId?: string): number {
    return this.visits(runId).filter((visited) => visited === instanceId).length
  }
}

const add = (input: unknown) => (typeof input === 'number' ? input + 1 : 1)

/** n0 ─► n1 ─► … : each adds one to what it gets. */
export function lineFlow(length: number, witness = new Witness(), id = 'line'): Flow<number> {
  const work = (args: NodeArguments) => {
    witness.see(args)
    return { output: add(args.input) }
  }
  let flow: Flow<number> = createFlow<number>(id).node('n0', work, { uses: `${id}/n` })
  for (let index = 1; index < length; index++) {
    flow = flow.node(`n${index}`, work, { uses: `${id}/n` }).edge(`n${index - 1}`, `n${index}`)
  }
  return flow
}

/** start ─► b0, b1, … ─► join; each branch gives its own name. */
export function fanFlow(width: number, witness = new Witness(), join: 'all' | 'any' = 'all', id = 'fan'): Flow {
  const see = (args: NodeArguments) => {
    witness.see(args)
    return { output: args.nodeId }
  }
  let flow: Flow = createFlow(id)
    .node('start', see)
    .node(
      'join',
      (args: NodeArguments) => {
        witness.see(args)
        return { output: args.input }
      },
      { joinStrategy: join },
    )
  for (let index = 0; index < width; index++) {
    flow = flow
      .node(`b${index}`, see, { uses: `${id}/b` })
      .edge('start', `b${index}`)
      .edge(`b${index}`, 'join')
  }
  return flow
}

/** choose ─(left)─► left ─► join, choose ─(right)─► right ─► join: only one side is taken. */
export function choiceFlow(witness = new Witness(), id = 'choice'): Flow<'left' | 'right'> {
  const see = (args: NodeArguments) => {
    witness.see(args)
    return { output: args.nodeId }
  }
  return createFlow<'left' | 'right'>(id)
    .node('choose', (args: NodeArguments<'left' | 'right'>) => {
      witness.see(args)
      return { action: args.input }
    })
    .node('left', see)
    .node('right', see)
    .node('join', (args: NodeArguments) => {
      witness.see(args)
      return { output: args.input }
    })
    .edge('choose', 'left', { action: 'left' })
    .edge('choose', 'right', { action: 'right' })
    .edge('left', 'join')
    .edge('right', 'join')
}

/** A node that fails this often before it succeeds, then a node that passes its output on. */
export function flakyFlow(failures: number, witness = new Witness(), delayMs = 10, id = 'flaky'): Flow {
  return createFlow(id)
    .node(
      'flaky',
      (args: NodeArguments) => {
        witness.see(args)
        if (args.attempt <= failures) throw new Error(`attempt ${args.attempt} fails, as part of the test`)
        return { output: args.attempt }
      },
      { retry: { attempts: failures + 1, delayMs, jitter: 0 } },
    )
    .node('after', (args: NodeArguments) => {
      witness.see(args)
      return { output: args.input }
    })
    .edge('flaky', 'after')
}

/** A map over the input; items that are negative fail. */
export function mapFlow(
  witness = new Witness(),
  options: { concurrency?: number; maxFailures?: number } = {},
  id = 'map',
): Flow<number[]> {
  return createFlow<number[]>(id)
    .map(
      'double',
      (args: NodeArguments<number>) => {
        witness.see(args)
        if (args.input < 0) throw new Error(`${args.input} is negative`)
        return { output: args.input * 2 }
      },
      options,
    )
    .node('sum', (args: NodeArguments<(number | null)[]>) => {
      witness.see(args)
      return { output: args.input.reduce<number>((sum, each) => sum + (each ?? 0), 0) }
    })
    .edge('double', 'sum')
}

/** Two steps around a failure: the first attempt fails between them. */
export function steppedFlow(witness = new Witness(), id = 'stepped'): Flow {
  return createFlow(id).node(
    'work',
    async (args: NodeArguments) => {
      witness.see(args)
      const one = await args.step('one', async ({ context }) => {
        witness.see({ ...args, runId: args.runId, instanceId: 'step one', attempt: args.attempt })
        await context.increment('ones', 1)
        return 1
      })
      if (args.attempt === 1) throw new Error('between the steps, as part of the test')
      const two = await args.step('two', () => {
        witness.see({ ...args, runId: args.runId, instanceId: 'step two', attempt: args.attempt })
        return 2
      })
      return { output: one + two }
    },
    { retry: { attempts: 2, delayMs: 1, jitter: 0 } },
  )
}
