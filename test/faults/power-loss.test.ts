// What the model of a power cut rests on: the reading of a trace, and what a disk may have kept.

import { test } from 'tap'
import { DiskImage } from './disk-image.js'
import { Draw } from './draw.js'
import { TraceReader, type TracedCall } from './traced-writes.js'

const hex = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '\\x$&')
const file = hex('/data/x.db')

function read(...lines: string[]): TracedCall[] {
  const reader = new TraceReader()
  for (const line of lines) reader.line(line)
  return reader.calls
}

test('writes, syncs and truncations are read, with the time of their return', async (t) => {
  const calls = read(
    `12 100.000001 pwrite64(24<${file}>, "${hex('hello')}", 5, 4096) = 5 <0.000010>`,
    `12 100.000100 fsync(24<${file}>) = 0 <0.002000>`,
    `12 100.003000 ftruncate(24<${file}>, 8192) = 0 <0.000020>`,
    '12 100.004000 +++ exited with 0 +++',
  )
  t.same(
    calls.map(({ call, offset, file: name }) => [call, offset, name]),
    [
      ['write', 4096, '/data/x.db'],
      ['sync', 0, '/data/x.db'],
      ['truncate', 8192, '/data/x.db'],
    ],
  )
  t.equal(calls[0]!.bytes.toString(), 'hello')
  t.ok(Math.abs(calls[1]!.t - 100.0021) < 1e-6)
})

test('a call that another thread interrupted ends where it is resumed', async (t) => {
  const [write, sync] = read(
    `12 100.1 pwrite64(24<${file}>, "${hex('ab')}", 2, 0 <unfinished ...>`,
    `13 100.2 fdatasync(24<${file}> <unfinished ...>`,
    '12 100.3 <... pwrite64 resumed>) = 2 <0.2>',
    '13 100.4 <... fdatasync resumed>) = 0 <0.2>',
  )
  t.match(write, { call: 'write', t: 100.3 })
  t.match(sync, { call: 'sync', t: 100.4 })
})

test('a call that failed wrote nothing, one that was cut short wrote a part', async (t) => {
  const calls = read(
    `12 1.0 fsync(24<${file}>) = -1 EIO (Input/output error) <0.1>`,
    `12 2.0 pwrite64(24<${file}>, "${hex('abcd')}", 4, 0) = 3 <0.1>`,
  )
  t.equal(calls.length, 1)
  t.equal(calls[0]!.bytes.toString(), 'abc')
})

test('a way of writing that the reader does not know is not passed over', async (t) => {
  t.throws(() => read(`12 1.0 writev(24<${file}>, [{iov_base="${hex('a')}", iov_len=1}], 1) = 1`))
})

const call = (kind: TracedCall['call'], offset = 0, text = ''): TracedCall => ({
  t: 0,
  call: kind,
  file: 'f',
  offset,
  bytes: Buffer.from(text),
})

test('only what was synced is sure to be there', async (t) => {
  const image = new DiskImage()
  image.apply(call('write', 0, 'aaaa'))
  t.equal(image.least().get('f')?.toString(), '')
  image.apply(call('sync'))
  image.apply(call('write', 2, 'bbbb'))
  t.equal(image.least().get('f')?.toString(), 'aaaa')
  image.apply(call('sync'))
  image.apply(call('truncate', 3))
  t.equal(image.least().get('f')?.toString(), 'aabbbb')
  image.apply(call('sync'))
  t.equal(image.least().get('f')?.toString(), 'aab')
})

test('of the rest any sectors may be there', async (t) => {
  const image = new DiskImage()
  image.apply(call('write', 0, 'a'.repeat(1024)))
  image.apply(call('sync'))
  image.apply(call('write', 0, 'b'.repeat(1024)))
  const draw = new Draw(1)
  const seen = new Set<string>()
  for (let time = 0; time < 50; time++) {
    const content = image.some(draw).get('f')!.toString()
    t.equal(content.length, 1024)
    seen.add(content[0]! + content[600]!)
  }
  t.same([...seen].sort(), ['aa', 'ab', 'ba', 'bb'])
  t.equal(image.least().get('f')?.toString(), 'a'.repeat(1024), 'and what was synced stays')
})
