import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startDynamo, startSqs } from '@baton/services'
import { afterAll, describe, expect, it } from 'vitest'

const here = import.meta.dirname
const pairs = [
  {
    name: 'Dynoxide and fauxqs',
    servers: [await startDynamo({ kind: 'dynoxide' }), await startSqs({ kind: 'fauxqs' })],
  },
  {
    name: 'DynamoDB Local and ElasticMQ',
    servers: [await startDynamo({ kind: 'dynamodb-local' }), await startSqs({ kind: 'elasticmq' })],
  },
] as const
afterAll(async () => {
  for (const { servers } of pairs) for (const server of servers) await server[Symbol.asyncDispose]()
})

describe.each(pairs)('on $name', ({ servers }) => {
  const [dynamo, sqs] = servers
  const { skipReason = sqs.skipReason } = dynamo

  it.skipIf(skipReason !== undefined)(skipReason ?? 'prints what its README says it prints', () => {
    const printed = execFileSync(process.execPath, ['--conditions=@baton/source', '--import', 'tsx', 'main.ts'], {
      cwd: here,
      encoding: 'utf8',
      env: {
        ...process.env,
        AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
        AWS_ENDPOINT_URL_SQS: sqs.endpoint,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'any',
        AWS_SECRET_ACCESS_KEY: 'any',
      },
    })

    expect(printed).toBe(readFileSync(join(here, 'expected-output.txt'), 'utf8'))
    expect(readFileSync(join(here, 'README.md'), 'utf8')).toContain(`\`\`\`text\n${printed}\`\`\``)
  })
})
