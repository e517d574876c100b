import { sha256 } from '../engine/sha256.ts'
import { parseRunId, type RunId } from '../model/ids.ts'

/** The run that does an ended one's failed work over. Derived, so that whoever asks twice gets one run. */
export async function redriveIdOf(runId: RunId): Promise<RunId> {
  const readable = `${runId}:redrive`
  return parseRunId(readable.length <= 128 ? readable : `redrive-${await sha256(readable)}`)
}
