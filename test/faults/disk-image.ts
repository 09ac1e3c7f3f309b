// Files as a disk would have them after a power cut: what was synced is there; of what was written
// since, nothing, or any part in units of a sector, in any order (the disk may have been at it).

import type { Draw } from './draw.js'
import type { TracedCall } from './traced-writes.js'

const SECTOR = 512

interface File {
  synced: Buffer
  since: TracedCall[]
}

export class DiskImage {
  readonly #files = new Map<string, File>()

  apply(call: TracedCall): void {
    const file = this.#files.get(call.file) ?? { synced: Buffer.alloc(0), since: [] }
    this.#files.set(call.file, file)
    file.since.push(call)
    if (call.call !== 'sync') return
    for (const each of file.since) file.synced = written(file.synced, each)
    file.since = []
  }

  /** Only what was synced */
  least(): Map<string, Buffer> {
    return new Map([...this.#files].map(([name, { synced }]) => [name, synced]))
  }

  /** And some of what was not */
  some(draw: Draw): Map<string, Buffer> {
    return new Map(
      [...this.#files].map(([name, { synced, since }]) => [name, partly(synced, since, draw)]),
    )
  }
}

function written(content: Buffer, { call, offset, bytes }: TracedCall): Buffer {
  if (call === 'sync') return content
  if (call === 'truncate') return resized(content, offset)
  const end = offset + bytes.length
  const long = content.length < end ? resized(content, end) : content
  bytes.copy(long, offset)
  return long
}

function resized(content: Buffer, length: number): Buffer {
  if (length <= content.length) return content.subarray(0, length)
  const long = Buffer.alloc(length)
  content.copy(long)
  return long
}

function partly(synced: Buffer, since: readonly TracedCall[], draw: Draw): Buffer {
  let content: Buffer = Buffer.from(synced)
  for (const call of since) {
    if (call.call !== 'write') {
      if (draw.chance(0.5)) content = written(content, call)
      continue
    }
    for (let at = 0; at < call.bytes.length; at += SECTOR) {
      if (draw.chance(0.5)) continue
      const bytes = call.bytes.subarray(at, at + SECTOR)
      content = written(content, { ...call, offset: call.offset + at, bytes })
    }
  }
  return content
}
