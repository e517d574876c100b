/** Jobs in Kafka beside runs in Redis: against Redis alone, on the same Redis, and against flowcraft on the same Kafka. */
import { openKafka } from '../kafka/server.ts'
import { W5, W5_FEW, W6, W8 } from '../redis/shape.ts'
import type { Budget, Comparison, Suite } from '../suite.ts'

const REDIS = 'baton on redis'
const REDIS_BY_QUEUE = 'baton, all by queue'
const KAFKA = 'baton on kafka'
const KAFKA_BY_QUEUE = 'baton on kafka, all by queue'
const FLOWCRAFT = 'flowcraft on kafka'
const ours = [KAFKA, REDIS, KAFKA_BY_QUEUE, REDIS_BY_QUEUE]
const turns = 4

const comparisons: readonly Comparison[] = [
  versus(W5, KAFKA, REDIS, 'nodes/s', { atLeast: 0.5 }),
  versus(W5, KAFKA_BY_QUEUE, REDIS_BY_QUEUE, 'nodes/s', { atLeast: 0.5 }),
  // The hardest: nothing by Kafka for the one, nothing but Kafka for the other.
  versus(W5, KAFKA_BY_QUEUE, REDIS, 'nodes/s'),
  versus(W5_FEW, KAFKA, FLOWCRAFT, 'nodes/s'),
  versus(W5_FEW, KAFKA_BY_QUEUE, FLOWCRAFT, 'nodes/s'),
  versus(W6, KAFKA, REDIS, 'nodes/s'),
  versus(W6, KAFKA_BY_QUEUE, REDIS_BY_QUEUE, 'nodes/s'),
  versus(W8, KAFKA_BY_QUEUE, REDIS_BY_QUEUE, 'ms p50'),
]

export const kafka: Suite = {
  name: 'kafka',
  cases: [
    { workload: W5, contenders: ours, turns },
    { workload: W5_FEW, contenders: [KAFKA, KAFKA_BY_QUEUE, FLOWCRAFT], turns },
    { workload: W6, contenders: ours, turns },
    { workload: W8, contenders: [KAFKA_BY_QUEUE, REDIS_BY_QUEUE], turns },
  ],
  comparisons,
  open: openKafka,
}

function versus(workload: string, one: string, other: string, unit: string, budget?: Budget): Comparison {
  return {
    name: `${workload}: ${one} / ${other}, ${unit}`,
    of: { workload, contender: one, unit },
    to: { workload, contender: other, unit },
    ...(budget === undefined ? {} : { budget }),
  }
}
