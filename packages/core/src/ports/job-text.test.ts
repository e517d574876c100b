import { expect, it } from 'vitest'
import { parseRunId } from '../model/ids.ts'
import type { Job } from './job-queue.ts'
import { jobOfText, readableText, textOfJob } from './job-text.ts'

const job: Job = { runId: parseRunId('run-1'), blueprintId: 'flow', nodeId: 'map', instanceId: 'map[7]', dispatch: 2 }

it('reads what it has written', () => {
  expect(jobOfText(textOfJob(job))).toEqual(job)
})

it.each(['{', '', '7', 'null', '{"runId":"../x","blueprintId":"flow","nodeId":"a"}'])('refuses %j', (text) => {
  expect(() => jobOfText(text)).toThrow(expect.objectContaining({ code: 'INVALID_JOB' }))
})

it('shows data as data, and anything else as it is', () => {
  expect(readableText('{"a":1}')).toEqual({ a: 1 })
  expect(readableText('{a')).toBe('{a')
})
