import type { RunId } from '../model/ids.ts'

interface Entry {
  readonly atMs: number
  readonly runId: RunId
}

/**
 * When to look at which run again: a heap of lower bounds, one entry per run that counts. A run's next due instant is
 * never before its entry, so a look costs what is due, not what exists; a run that has moved on is filed anew.
 */
export class DueIndex {
  readonly #heap: Entry[] = []
  readonly #filed = new Map<RunId, number>()

  /** Sees to it that the run is looked at by then. Later instants than the one on file wait for that look. */
  file(runId: RunId, atMs: number): void {
    const filed = this.#filed.get(runId)
    if (filed !== undefined && filed <= atMs) return
    if (atMs === Number.POSITIVE_INFINITY) return
    this.#filed.set(runId, atMs)
    this.#push({ atMs, runId })
  }

  remove(runId: RunId): void {
    this.#filed.delete(runId)
  }

  /** Takes out the runs whose instant has come; the caller files those that go on. */
  take(nowMs: number): RunId[] {
    const due: RunId[] = []
    for (let top = this.#heap[0]; top !== undefined && top.atMs <= nowMs; top = this.#heap[0]) {
      this.#pop()
      // An entry that a filing for an earlier instant has replaced.
      if (this.#filed.get(top.runId) !== top.atMs) continue
      this.#filed.delete(top.runId)
      due.push(top.runId)
    }
    return due
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let index = heap.push(entry) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if ((heap[parent] as Entry).atMs <= entry.atMs) break
      heap[index] = heap[parent] as Entry
      index = parent
    }
    heap[index] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && (heap[child + 1] as Entry).atMs < (heap[child] as Entry).atMs) child += 1
      if ((heap[child] as Entry).atMs >= last.atMs) break
      heap[index] = heap[child] as Entry
      index = child
    }
    heap[index] = last
  }
}
