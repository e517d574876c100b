/** Results, for people and for programs. */
import Table from 'cli-table3'
import { type Machine, sentenceOf } from './machine.ts'
import type { Ratio, Results } from './measure.ts'
import type { Suite } from './suite.ts'

export function toTables(suite: Suite, machine: Machine, { rows, ratios, limits }: Results): string {
  const figures = table(['workload', 'contender', 'unit', 'median', 'min', 'max'], 3)
  for (const { workload, contender, unit, median, min, max } of rows) {
    figures.push([workload, contender, unit, ...[median, min, max].map(shown)])
  }
  const compared = table(['ratio', 'median', 'min', 'max', 'budget', ''], 1)
  for (const ratio of ratios) {
    const { comparison, median, min, max } = ratio
    compared.push([comparison.name, ...[median, min, max].map(shown), budgetOf(ratio), verdictOn(ratio, ratios)])
  }
  const counted = table(['count', 'median', 'min', 'max', 'budget', ''], 1)
  for (const { workload, contender, unit, median, min, max, atMost } of limits) {
    const verdict = median <= atMost ? 'kept' : 'MISSED'
    counted.push([`${workload}: ${contender}, ${unit}`, ...[median, min, max].map(shown), `≤ ${atMost}`, verdict])
  }
  const tables = [figures, compared, ...(limits.length === 0 ? [] : [counted])].map(String)
  return [`Suite ${suite.name} on ${sentenceOf(machine)}`, ...tables].join('\n\n')
}

export function toJson(suite: Suite, machine: Machine, { rows, ratios }: Results): string {
  return JSON.stringify({
    suite: suite.name,
    machine,
    rows,
    ratios: Object.fromEntries(ratios.map(({ comparison, median }) => [comparison.name, median])),
  })
}

function table(head: string[], firstNumber: number) {
  const colAligns = head.map((_, column) => (column >= firstNumber && column < firstNumber + 3 ? 'right' : 'left'))
  return new Table({ head, colAligns, style: { head: [], border: [], compact: true } })
}

/** Three digits: more would be the machine's mood. */
function shown(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 })
}

function budgetOf({ comparison: { budget = {} } }: Ratio): string {
  const { atLeast, atMost, countsIf } = budget
  const bound = atLeast !== undefined ? `≥ ${atLeast}` : atMost !== undefined ? `≤ ${atMost}` : ''
  return countsIf === undefined ? bound : `${bound} if ${countsIf.comparison} ≥ ${countsIf.atLeast}`
}

function verdictOn({ comparison: { budget }, median }: Ratio, ratios: readonly Ratio[]): string {
  if (budget === undefined) return ''
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY, countsIf } = budget
  const condition = ratios.find(({ comparison }) => comparison.name === countsIf?.comparison)
  if (countsIf !== undefined && !(condition !== undefined && condition.median >= countsIf.atLeast))
    return 'does not count'
  return median >= atLeast && median <= atMost ? 'kept' : 'MISSED'
}
