/**
 * The name of a job's file says all that must change atomically, because renaming is the one thing that exactly one of
 * several processes can do:
 *
 *   pending/<rank>-<time>-<unique>-<place>-<n>              waiting; names sort by who goes first
 *   taken/<until>-<rank>-<time>-<unique>-<place>-<n>        with a consumer, until then
 *   delayed/<from>-<rank>-<time>-<unique>-<place>-<n>       not before then
 *
 * `place` is `<byte>.<bytes>`, where the job's text is in the file; `n` counts the deliveries so far.
 */
import type { JobPlace } from './job-segment.ts'

export interface JobName {
  /** Everything but the count and the instant. */
  readonly stem: string
  /** Absent where the whole file is the text: somebody else has put it there. */
  readonly place?: JobPlace
  readonly delivered: number
  /** In `taken` and `delayed`. */
  readonly atMs?: number
}

const NAME = /^(?:(\d{13,16})-)?(\d{5}-\d{13}-[0-9a-z]+(?:-(\d+)\.(\d+))?)-(\d+)$/
const MIDDLE_RANK = 50_000

let jobCount = 0
const processName = Math.random().toString(36).slice(2, 8)

/** Higher priorities get smaller ranks, so that sorted names begin with them. */
export function newStem(priority: number, nowMs: number, place?: JobPlace): string {
  const rank = MIDDLE_RANK - Math.max(1 - MIDDLE_RANK, Math.min(MIDDLE_RANK, Math.round(priority)))
  const unique = `${(jobCount++).toString(36).padStart(6, '0')}${processName}`
  return `${digits(rank, 5)}-${digits(nowMs, 13)}-${unique}${place === undefined ? '' : `-${place.atByte}.${place.bytes}`}`
}

export function formatName({ stem, delivered, atMs }: JobName): string {
  return `${atMs === undefined ? '' : `${digits(Math.round(atMs), 13)}-`}${stem}-${delivered}`
}

/** @returns undefined for a file that is no job */
export function parseName(name: string): JobName | undefined {
  const [, atMs, stem, atByte, bytes, delivered] = NAME.exec(name) ?? []
  if (stem === undefined) return undefined
  return {
    stem,
    delivered: Number(delivered),
    ...(atByte === undefined ? {} : { place: { atByte: Number(atByte), bytes: Number(bytes) } }),
    ...(atMs === undefined ? {} : { atMs: Number(atMs) }),
  }
}

/** Names of one rank may go in any order. */
export function rankOf(name: string): string {
  return name.slice(0, 5)
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
