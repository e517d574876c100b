/** The templates for production say the same table and queues as the code that works with them. */
import { readFileSync } from 'node:fs'
import type { CreateTableCommandInput, GlobalSecondaryIndex, KeySchemaElement } from '@aws-sdk/client-dynamodb'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { queueAttributes } from '../../src/infrastructure/queue.ts'
import { checkInfrastructureOptions } from '../../src/infrastructure-options.ts'
import { TTL_ATTRIBUTE, tableDefinition } from '../../src/table.ts'
import { type Block, readTerraform } from './terraform.ts'

const template = (name: string) => readFileSync(new URL(`../../templates/${name}`, import.meta.url), 'utf8')

const { TableName: _, ...definition } = tableDefinition('baton')
const options = checkInfrastructureOptions({})
const DEAD_ARN = 'that of the dead letter queue'
/** As `ensureInfrastructure` makes them when it is told nothing. */
const queue = queueAttributes({ ...options, isForDeadLetters: false, deadLetterArn: DEAD_ARN })
const dead = queueAttributes({ ...options, isForDeadLetters: true, deadLetterArn: undefined })
const { maxReceiveCount } = JSON.parse(queue.RedrivePolicy ?? '{}') as { readonly maxReceiveCount: number }

describe('the template of CloudFormation', () => {
  const { Resources, Parameters, Conditions, Outputs } = parse(template('cloudformation.yaml'))
  const { Table, Queue, DeadLetterQueue } = Resources

  it('makes the table', () => {
    const { TableName, TimeToLiveSpecification, PointInTimeRecoverySpecification, ...properties } = Table.Properties
    const { DeletionProtectionEnabled, SSESpecification, ...made } = properties

    expect(made).toEqual(definition)
    expect(Parameters[TableName.Ref].Default).toBe(options.table)
    expect(TimeToLiveSpecification).toEqual({ AttributeName: TTL_ATTRIBUTE, Enabled: true })
  })

  it('keeps the table from being lost', () => {
    expect(Table).toMatchObject({
      Type: 'AWS::DynamoDB::Table',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    })
    expect(Table.Properties).toMatchObject({
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      DeletionProtectionEnabled: true,
      SSESpecification: { SSEEnabled: true },
    })
  })

  it('makes the queues', () => {
    expect(Queue.Properties).toEqual({
      QueueName: { Ref: 'QueueName' },
      VisibilityTimeout: { Ref: 'VisibilityTimeout' },
      SqsManagedSseEnabled: true,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['DeadLetterQueue', 'Arn'] }, maxReceiveCount },
    })
    expect(DeadLetterQueue.Properties).toEqual({
      QueueName: { 'Fn::Sub': `${inTemplate('QueueName')}-dead` },
      VisibilityTimeout: { Ref: 'VisibilityTimeout' },
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: Number(dead.MessageRetentionPeriod),
    })
    expect(Parameters.QueueName.Default).toBe(options.queueName)
    expect(`${Parameters.QueueName.Default}-dead`).toBe(options.deadLetterQueue)
    expect(Parameters.VisibilityTimeout.Default).toBe(Number(queue.VisibilityTimeout))
  })

  it.each(['High', 'Low'])('makes the queue for jobs of a %s priority where it is asked to', (level) => {
    const { Condition, Properties, Type } = Resources[`${level}Queue`]

    expect({ Condition, Type }).toEqual({ Condition: 'HasPriorityQueues', Type: 'AWS::SQS::Queue' })
    expect(Properties).toEqual({
      ...Queue.Properties,
      QueueName: { 'Fn::Sub': `${inTemplate('QueueName')}-${level.toLowerCase()}` },
    })
    expect(Outputs[`${level}QueueUrl`]).toEqual({ Condition, Value: { Ref: `${level}Queue` } })
    expect(Conditions[Condition]).toEqual({ 'Fn::Equals': [{ Ref: 'PriorityQueues' }, 'true'] })
    expect(Parameters.PriorityQueues.Default).toBe('false')
  })
})

describe('the template of Terraform', () => {
  const all = readTerraform(template('main.tf'))
  const one = (name: string): Block => {
    const found = all.blocks.find((block) => block.name === name)
    if (found === undefined) throw new Error(`There is no ${name}`)
    return found
  }
  const table = one('resource aws_dynamodb_table baton')
  const blocksOf = (name: string) =>
    table.blocks.filter((block) => block.name === name).map((block) => block.attributes)

  it('makes the table', () => {
    const made: Omit<CreateTableCommandInput, 'TableName'> = {
      BillingMode: table.attributes.billing_mode as 'PAY_PER_REQUEST',
      KeySchema: keysOf(table.attributes),
      AttributeDefinitions: blocksOf('attribute').map(({ name, type }) => ({
        AttributeName: name as string,
        AttributeType: type as 'S',
      })),
      GlobalSecondaryIndexes: blocksOf('global_secondary_index').map(indexOf),
    }

    expect(made).toEqual(definition)
    expect(table.attributes.name).toBe('var.table_name')
    expect(one('variable table_name').attributes.default).toBe(options.table)
    expect(blocksOf('ttl')).toEqual([{ attribute_name: TTL_ATTRIBUTE, enabled: true }])
  })

  it('keeps the table from being lost', () => {
    expect(table.attributes.deletion_protection_enabled).toBe(true)
    expect(blocksOf('point_in_time_recovery')).toEqual([{ enabled: true }])
    expect(blocksOf('server_side_encryption')).toEqual([{ enabled: true }])
    expect(blocksOf('lifecycle')).toEqual([{ prevent_destroy: true }])
  })

  it('makes the queues', () => {
    expect(one('resource aws_sqs_queue baton').attributes).toEqual({
      name: 'var.queue_name',
      visibility_timeout_seconds: 'var.visibility_timeout',
      sqs_managed_sse_enabled: true,
      redrive_policy: { deadLetterTargetArn: 'aws_sqs_queue.dead.arn', maxReceiveCount },
    })
    expect(one('resource aws_sqs_queue dead').attributes).toEqual({
      name: `${inTemplate('var.queue_name')}-dead`,
      visibility_timeout_seconds: 'var.visibility_timeout',
      sqs_managed_sse_enabled: true,
      message_retention_seconds: Number(dead.MessageRetentionPeriod),
    })
    expect(one('variable queue_name').attributes.default).toBe(options.queueName)
    expect(one('variable visibility_timeout').attributes.default).toBe(Number(queue.VisibilityTimeout))
  })

  it.each(['high', 'low'])('makes the queue for jobs of a %s priority where it is asked to', (level) => {
    expect(one(`resource aws_sqs_queue ${level}`).attributes).toEqual({
      ...one('resource aws_sqs_queue baton').attributes,
      count: 'var.priority_queues ? 1 : 0',
      name: `${inTemplate('var.queue_name')}-${level}`,
    })
    expect(one(`output ${level}_queue_url`).attributes.value).toBe(`one(aws_sqs_queue.${level}[*].url)`)
    expect(one('variable priority_queues').attributes).toMatchObject({ type: 'bool', default: false })
  })
})

function inTemplate(name: string): string {
  return `\${${name}}`
}

function keysOf({ hash_key, range_key }: Block['attributes']): KeySchemaElement[] {
  return [
    { AttributeName: hash_key as string, KeyType: 'HASH' },
    { AttributeName: range_key as string, KeyType: 'RANGE' },
  ]
}

function indexOf(attributes: Block['attributes']): GlobalSecondaryIndex {
  const { name, projection_type, non_key_attributes } = attributes
  return {
    IndexName: name as string,
    KeySchema: keysOf(attributes),
    Projection: {
      ProjectionType: projection_type as 'INCLUDE',
      ...(non_key_attributes === undefined ? {} : { NonKeyAttributes: non_key_attributes as string[] }),
    },
  }
}
