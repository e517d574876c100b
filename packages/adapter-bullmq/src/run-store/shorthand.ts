/**
 * Commands as they stand in a log of Redis: JSON in which the longest of the words that every command has are told by one
 * character each. Of a node that does next to nothing they are most of the line, and lines are what Redis keeps in memory
 * and sends over the wire.
 *
 * JSON has no control character in it that is not escaped, so those stand for the words and for nothing else: whatever
 * users hand in, the text that is read is the text that was written.
 */

/** In their order, from character 1 on. Logs are read by it: nothing may be moved or changed here, only added. */
const words = [
  '{"type":"commit","transition":{"instanceId":"',
  '","outcome":{"type":"succeeded","arrivals":[',
  '","fate":"succeeded","rule":"all","of":1}',
  ',"commitId":"',
  '","fence":',
  '{"to":"',
  '","edge":"',
  '","from":"',
  ',"output":',
  '},"next":{"workerId":"',
  '","leaseMs":',
  ',"candidates":[{"nodeId":"',
  '","timeoutMs":',
  '","fate":"succeeded","rule":"',
  ',"resultOf":"',
  '{"type":"claim","request":{"instanceId":"',
  '","claimId":"',
  '","workerId":"',
  '{"type":"create","run":{"runId":"',
  '","kind":"workflow","flowId":"',
  '"],"failFast":true',
  '","outcome":{"type":"stepped","step":{"position":',
  ',"kind":"step","name":"',
  '{"type":"notify","notice":{"type":"',
  ',"timeoutMs":',
  '}]}}}',
  ',"input":true}}',
]

const codes = new Map(words.map((word, index) => [word, String.fromCharCode(index + 1)]))
const byCode = new Map([...codes].map(([word, code]) => [code, word]))
// Of two words that begin alike the longer one: it stands first in the list.
const anyWord = new RegExp(words.map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g')
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what stands for words
const anyCode = /[\u0001-\u001f]/g

export function shortened(json: string): string {
  return json.replace(anyWord, (word) => codes.get(word) ?? word)
}

export function unshortened(text: string): string {
  return text.replace(anyCode, (code) => byCode.get(code) ?? code)
}
