import { describe, expect, it } from 'vitest'
import { createFlow, FlowRuntime, InMemoryRunStore } from '../index.ts'

class Grumpy extends Error {
  override get message(): string {
    throw new Error('not telling')
  }
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const strange: readonly (readonly [string, () => unknown])[] = [
  ['an object without a text', () => Object.create(null)],
  ['an error that does not tell its message', () => new Grumpy()],
  ['a revoked proxy', revoked],
  ['a symbol', () => Symbol('x')],
  ['nothing', () => undefined],
]

describe.each(strange)('a node that throws %s', (_, made) => {
  it.each([
    ['without a store', {}],
    ['with one', { store: new InMemoryRunStore() }],
  ])('fails like any other, %s', async (_way, options) => {
    await using runtime = new FlowRuntime(options)
    const later = createFlow('later').node('a', async () => {
      await null
      throw made()
    })
    const now = createFlow('now').node('a', () => {
      throw made()
    })
    for (const flow of [now, later]) {
      expect(await runtime.run(flow)).toMatchObject({ status: 'failed', error: { message: expect.any(String) } })
    }
  })
})
