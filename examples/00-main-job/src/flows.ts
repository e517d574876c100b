/**
 * The flow: list the files, take each apart in a node instance of its own, join, write the report.
 *
 *   list ─► analyse[0] … analyse[n] ─► report
 *
 * Any worker may run any of these, and each may be run again after a worker died. So all of them are idempotent: they
 * read, and the one that writes puts the whole report in place in one step.
 */
import { rename, rm, writeFile } from 'node:fs/promises'
import { createFlow, type NodeArguments } from '@baton/core'
import { analyseFile, type FileFacts, listMarkdown } from './analyse.ts'
import { passGate } from './gate.ts'
import { type Totals, totalsOf, writeReport } from './report.ts'

export interface ReportJob {
  readonly folder: string
  /** Where the report goes. */
  readonly report: string
  /** For the demo: as long as this file exists, the second half of the files waits for it. */
  readonly gate?: string
}

interface FileJob {
  readonly file: string
  readonly gate?: string
}

/** How many files are worked on at the same time, on all workers together. */
export const FILES_AT_A_TIME = 8

export const markdownReport = createFlow<ReportJob>('markdown-report', { version: '1' })
  .node('list', list)
  // `reads` brings the key along with the claim: one trip to the store for the node, not two.
  .map('analyse', analyse, { concurrency: FILES_AT_A_TIME, reads: ['job'] })
  .node('report', report, { reads: ['job'] })
  .edge('list', 'analyse')
  .edge('analyse', 'report')

export const flows = [markdownReport]

/** How many of the files are free to go while the gate is closed. */
export function freeFiles(files: number): number {
  return Math.floor(files / 2)
}

async function list({ input: job, context }: NodeArguments<ReportJob>) {
  await context.set('job', { folder: job.folder, report: job.report })
  // A report that counted the one before would be another one each time.
  const files = await listMarkdown(job.folder, job.report)
  const free = freeFiles(files.length)
  const output = files.map((file, index): FileJob => {
    return job.gate === undefined || index < free ? { file } : { file, gate: job.gate }
  })
  return { output }
}

async function analyse({ input: { file, gate }, context, signal }: NodeArguments<FileJob>) {
  if (gate !== undefined) await passGate(gate, signal)
  return { output: await analyseFile((await jobOf(context)).folder, file) }
}

async function report({ input: all, context }: NodeArguments<FileFacts[]>): Promise<{ output: Totals }> {
  const { report: path } = await jobOf(context)
  // A reader sees the old report or the new one. Two workers at once would write the same text.
  const draft = `${path}.${process.pid}.draft`
  try {
    await writeFile(draft, writeReport(all))
    await rename(draft, path)
  } finally {
    await rm(draft, { force: true })
  }
  return { output: totalsOf(all) }
}

async function jobOf(context: NodeArguments['context']): Promise<Pick<ReportJob, 'folder' | 'report'>> {
  const job = await context.get<ReportJob>('job')
  if (job === undefined) throw new Error('the node `list` has left no job in the context')
  return job
}
