// What one node tells another at once: its frames of one turn, numbered on their link, with a proof that
// a node of this cluster wrote them for exactly that life of that one. Redis need not be trusted.

import { createHmac, timingSafeEqual } from 'node:crypto'

const PROOF = 32
const END_OF_HEAD = 10

export interface Batch {
  readonly from: string
  /** Of that node: numbers begin again with each */
  readonly life: string
  readonly to: string
  /** Of that node: another one takes nothing of it */
  readonly toLife: string
  readonly number: number
  readonly frames: readonly Buffer[]
  /** The node ends with this. */
  readonly last: boolean
}

type Head = [
  from: string,
  life: string,
  to: string,
  toLife: string,
  number: number,
  last: boolean,
  lengths: readonly number[],
]

export function encodeBatch(secret: Buffer, batch: Batch): Buffer {
  const { from, life, to, toLife, number, frames, last } = batch
  const lengths = frames.map(({ length }) => length)
  const head: Head = [from, life, to, toLife, number, last, lengths]
  const parts = [Buffer.from(`${JSON.stringify(head)}\n`, 'utf8'), ...frames]
  return Buffer.concat([proofOf(secret, parts), ...parts])
}

/** Undefined where nobody of this cluster wrote it. */
export function readBatch(secret: Buffer, bytes: Buffer): Batch | undefined {
  if (bytes.length < PROOF) return undefined
  const content = bytes.subarray(PROOF)
  if (!timingSafeEqual(bytes.subarray(0, PROOF), proofOf(secret, [content]))) return undefined
  const end = content.indexOf(END_OF_HEAD)
  const head = JSON.parse(content.toString('utf8', 0, end)) as Head
  const [from, life, to, toLife, number, last, lengths] = head
  let at = end + 1
  const frames = lengths.map((length) => content.subarray(at, (at += length)))
  return { from, life, to, toLife, number, frames, last }
}

function proofOf(secret: Buffer, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac('sha256', secret)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}
