import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Emulator, startDynamo } from '../src/index.ts'

const TABLE = 'table'

const kinds = ['dynamodb-local', 'dynoxide'] as const

afterEach(() => vi.unstubAllEnvs())

/** A new one after each kill: an older one has connections to the server that is gone. */
function clientOf(dynamo: Emulator): DynamoDBClient {
  return new DynamoDBClient({ ...dynamo.clientOptions, maxAttempts: 1 })
}

async function makeTable(client: DynamoDBClient): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'key', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'key', KeyType: 'HASH' }],
    }),
  )
}

/** Writes all of the keys, or none if there is one of them already. */
async function writeNew(client: DynamoDBClient, ...keys: readonly string[]): Promise<void> {
  const puts = keys.map((key) => ({
    TableName: TABLE,
    Item: { key: { S: key } },
    ConditionExpression: 'attribute_not_exists(#k)',
    ExpressionAttributeNames: { '#k': 'key' },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  }))
  await client.send(new TransactWriteItemsCommand({ TransactItems: puts.map((Put) => ({ Put })) }))
}

async function has(client: DynamoDBClient, key: string): Promise<boolean> {
  const command = new GetItemCommand({ TableName: TABLE, Key: { key: { S: key } }, ConsistentRead: true })
  return (await client.send(command)).Item !== undefined
}

describe('a DynamoDB for tests', () => {
  it('is the one that the variable names, unless the test wants one of its own', async () => {
    vi.stubEnv('BATON_TEST_DYNAMODB_URL', 'http://elsewhere:1234')
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('PATH', '/nowhere')
    vi.stubEnv('BATON_REQUIRE_SERVICES', '')

    await using given = await startDynamo({ kind: 'dynamodb-local' })
    await using own = await startDynamo({ kind: 'dynamodb-local', own: true })

    expect(given.endpoint).toBe('http://elsewhere:1234')
    expect(given.skipReason).toBeUndefined()
    expect(given.clientOptions.credentials).toBeDefined()
    expect(() => given.kill()).toThrow('of our own')
    expect(own.skipReason).toBeDefined()
  })

  it('takes the credentials of the environment to a given one', async () => {
    vi.stubEnv('BATON_TEST_DYNAMODB_URL', 'https://dynamodb.eu-west-1.amazonaws.com')
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'somebody')
    vi.stubEnv('AWS_REGION', 'eu-west-1')

    await using given = await startDynamo({ kind: 'dynoxide' })

    expect(given.clientOptions).toEqual({ endpoint: 'https://dynamodb.eu-west-1.amazonaws.com', region: 'eu-west-1' })
  })

  it('is not there where no Java is, and says how to get one', async () => {
    vi.stubEnv('BATON_TEST_DYNAMODB_URL', '')
    vi.stubEnv('BATON_REQUIRE_SERVICES', 'kafka')
    vi.stubEnv('PATH', '/nowhere')

    await using dynamo = await startDynamo({ kind: 'dynamodb-local' })

    expect(dynamo.skipReason).toContain('java')
    expect(dynamo.skipReason).toContain('BATON_TEST_DYNAMODB_URL')
    expect(() => dynamo.endpoint).toThrow('java')
  })

  it('fails where it is required and no Java is', async () => {
    vi.stubEnv('BATON_TEST_DYNAMODB_URL', '')
    vi.stubEnv('BATON_REQUIRE_SERVICES', 'redis,dynamodb')
    vi.stubEnv('PATH', '/nowhere')

    await expect(startDynamo({ kind: 'dynamodb-local' })).rejects.toThrow('BATON_REQUIRE_SERVICES asks for dynamodb')
  })
})

for (const kind of kinds) {
  const dynamo = await startDynamo({ kind, durable: true })

  describe.skipIf(dynamo.skipReason !== undefined)(`${kind} of our own`, () => {
    it('says which condition of a transaction failed, and has after a kill what it acknowledged', async () => {
      await using killed = dynamo
      const client = clientOf(killed)
      await makeTable(client)

      await writeNew(client, 'a', 'b')
      const refused = await writeNew(client, 'c', 'b').catch((error: TransactionCanceledException) => error)
      await killed.kill()
      await expect(has(client, 'a')).rejects.toThrow()
      await killed.restart()

      expect(refused?.CancellationReasons).toMatchObject([
        { Code: 'None' },
        { Code: 'ConditionalCheckFailed', Item: { key: { S: 'b' } } },
      ])
      const after = clientOf(killed)
      expect(await Promise.all(['a', 'b', 'c'].map((key) => has(after, key)))).toEqual([true, true, false])
    })

    // Of transactions DynamoDB Local may lose the last one (docs/decisions/0017).
    it('loses no acknowledged write in a kill among many', async () => {
      await using killed = await startDynamo({ kind, durable: true })
      const client = clientOf(killed)
      await makeTable(client)
      const acknowledged: string[] = []
      const write = async (writer: number) => {
        for (let index = 0; ; index++) {
          const key = `${writer}-${index}`
          if (kind === 'dynoxide') await writeNew(client, key, `${key}-too`)
          else await client.send(new PutItemCommand({ TableName: TABLE, Item: { key: { S: key } } }))
          acknowledged.push(key)
        }
      }
      const writing = Promise.allSettled([0, 1, 2, 3].map(write))
      await vi.waitUntil(() => acknowledged.length > 50, { timeout: 10_000, interval: 5 })

      await killed.kill()
      await writing
      await killed.restart()

      const lost = []
      const after = clientOf(killed)
      for (const key of acknowledged) if (!(await has(after, key))) lost.push(key)
      expect(lost).toEqual([])
    })

    it('begins empty when it is not durable, and answers again after it was frozen', async () => {
      await using frozen = await startDynamo({ kind, own: true })
      const client = clientOf(frozen)
      await makeTable(client)

      frozen.freeze()
      // The signal takes a moment to reach all of its threads.
      await sleep(200)
      let answered = false
      const writing = writeNew(client, 'a').then(() => {
        answered = true
      })
      await sleep(200)
      const answeredInIce = answered
      frozen.thaw()
      await writing
      await frozen.kill()
      await frozen.restart()

      expect(answeredInIce).toBe(false)
      await expect(has(clientOf(frozen), 'a')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    })
  })
}

describe('the process that starts a slow server', () => {
  it('takes it along when it is killed before the server is up', async () => {
    const code = `
      import { ServerProcess } from ${JSON.stringify(new URL('../src/server-process.ts', import.meta.url).href)}
      const server = new ServerProcess('slow')
      const started = server.start({ command: 'sh', args: ['-c', 'echo $$ >pid; exec sleep 60'], ready: /never/ })
      console.log(server.folder)
      await started
    `
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [folder] = (await once(createInterface(child.stdout), 'line')) as [string]

    child.kill('SIGKILL')

    await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false)
  })
})
