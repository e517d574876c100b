import { describe, expect, it } from 'vitest'
import { decodeLine, encodeFrame, isOverlong } from './frame.ts'

const frame = encodeFrame('w.1', '{"text":"größer"}')
const line = frame.subarray(1, -1)

describe('a frame', () => {
  it('is a line that a person can read, with a line feed before and after', () => {
    expect(frame.toString()).toMatch(/^\n[0-9a-f]{8} 19 w\.1 \{"text":"größer"\}\n$/)
  })

  it('gives back what it holds', () => {
    expect(decodeLine(line, true)).toEqual({ tag: 'w.1', text: '{"text":"größer"}' })
  })

  it('is torn when it was cut off anywhere and the next record follows', () => {
    for (let length = 1; length < line.length; length++) {
      expect(decodeLine(line.subarray(0, length), false)).toBe('torn')
    }
  })

  it('is damaged when it was cut off and still has its own end', () => {
    for (let length = 1; length < line.length; length++) {
      expect(decodeLine(line.subarray(0, length), true)).toBe('damaged')
    }
  })

  it('is torn where a page never reached the disk', () => {
    const holed = Buffer.from(line)
    holed.fill(0, 5, 20)

    expect(decodeLine(holed, true)).toBe('torn')
  })

  it('is whole where no more than the page with its line feed never reached the disk', () => {
    const holed = Buffer.concat([line, Buffer.alloc(1)])

    expect(decodeLine(holed, false)).toEqual({ tag: 'w.1', text: '{"text":"größer"}' })
    expect(isOverlong(holed)).toBe(false)
    expect(isOverlong(Buffer.concat([line, Buffer.alloc(9)]))).toBe(false)
    expect(isOverlong(Buffer.concat([line, Buffer.from('x')]))).toBe(true)
  })

  it('is damaged when its end was lost and more follows on the line', () => {
    expect(decodeLine(Buffer.concat([line, Buffer.from('x')]), false)).toBe('damaged')
  })

  it('holds one line', () => {
    expect(() => encodeFrame('w.1', 'a\nb')).toThrow('one line')
  })
})
