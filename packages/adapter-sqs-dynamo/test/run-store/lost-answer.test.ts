/** An answer of DynamoDB that is lost, where the log has gone on elsewhere meanwhile. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { parseRunId } from '@baton/core'
import { startDynamo } from '@baton/services'
import { afterAll, describe, expect, it } from 'vitest'
import { DynamoRunStore } from '../../src/index.ts'
import { createTable, newPrefix } from '../dynamo-world.ts'

const dynamo = await startDynamo({ kind: 'dynoxide' })
afterAll(() => dynamo[Symbol.asyncDispose]())
const runId = parseRunId('r')

describe.skipIf(dynamo.skipReason !== undefined)(dynamo.skipReason ?? 'an answer that is lost', () => {
  it('behind a segment that others have filled: the same call once more finds what it has done', async () => {
    const { client, table } = await createTable(dynamo)
    const unlucky = new DynamoDBClient(dynamo.clientOptions)
    let isArmed = false
    unlucky.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const answer = await next(args)
          if (!isArmed || commandName !== 'UpdateItemCommand') return answer
          isArmed = false
          throw new Error('socket hang up')
        },
      { step: 'initialize', name: 'lost' },
    )
    const shared = { table, prefix: newPrefix() }
    const [here, there] = [
      new DynamoRunStore({ ...shared, client: unlucky }),
      new DynamoRunStore({ ...shared, client }),
    ]
    const signal = (store: DynamoRunStore, signalId: string) =>
      store.notify({ type: 'signal', runId, name: 'news', signalId, payload: 'x'.repeat(300) })
    await here.create({ runId, flowId: 'flow', starts: ['a'] } as never)
    for (const id of ['b0', 'b1', 'b2', 'b3']) await signal(there, id)

    isArmed = true
    await expect(signal(here, 'a1')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })

    expect(await signal(here, 'a1')).toMatchObject({ status: 'unchanged' })
    const heard: unknown[] = []
    for await (const event of there.journal(runId)) if (event.type === 'signal-received') heard.push(event.signalId)
    expect(heard).toEqual(['b0', 'b1', 'b2', 'b3', 'a1'])
    for (const store of [here, there]) await store.close()
    for (const each of [client, unlucky]) each.destroy()
  })
})
