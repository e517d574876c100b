import type { Blueprint } from '../model/blueprint.ts'
import { checkBlueprint } from '../model/check-blueprint.ts'
import { viewGraph } from './graph-view.ts'
import { edgeWarnings } from './lint-edges.ts'
import { loopWarnings } from './lint-loops.ts'
import { nodeWarnings } from './lint-nodes.ts'
import { type LintCode, lintRules } from './lint-rules.ts'

/** Something that is legal and probably wrong. */
export interface LintWarning {
  readonly code: LintCode
  /** Where it stands in the blueprint, e.g. `nodes[3].config.retry`. */
  readonly field: string
  readonly message: string
  readonly hint: string
}

/** What a rule has found: where, and the part of the message that is about this place. */
export interface Finding {
  readonly code: LintCode
  readonly field: string
  readonly what: string
}

/**
 * What is legal in a blueprint and probably not what was meant, in its order; an empty list where nothing is. One that
 * cannot run is refused, as by `checkBlueprint`.
 */
export function lintBlueprint(blueprint: Blueprint): readonly LintWarning[] {
  const view = viewGraph(checkBlueprint(blueprint))
  return [...nodeWarnings(view), ...edgeWarnings(view), ...loopWarnings(view)].map(({ code, field, what }) => ({
    code,
    field,
    message: `${what}: ${lintRules[code].about}`,
    hint: lintRules[code].hint,
  }))
}
