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

/** What one node tells all others at once: on each link it has a number of its own. */
export interface SharedBatch {
  readonly from: string
  readonly life: string
  readonly links: readonly Link[]
  readonly frames: readonly Buffer[]
}

export type Link = readonly [to: string, toLife: string, number: number]

type SharedHead = [from: string, life: string, links: readonly Link[], lengths: readonly number[]]

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
  const head: Head = [from, life, to, toLife, number, last, lengthsOf(frames)]
  return encode(secret, head, frames)
}

export function encodeShared(secret: Buffer, batch: SharedBatch): Buffer {
  const { from, life, links, frames } = batch
  const head: SharedHead = [from, life, links, lengthsOf(frames)]
  return encode(secret, head, frames)
}

function lengthsOf(frames: readonly Buffer[]): number[] {
  return frames.map(({ length }) => length)
}

function encode(secret: Buffer, head: Head | SharedHead, frames: readonly Buffer[]): Buffer {
  const parts = [Buffer.from(`${JSON.stringify(head)}\n`, 'utf8'), ...frames]
  return Buffer.concat([proofOf(secret, parts), ...parts])
}

/** Undefined where nobody of this cluster wrote it. */
export function readBatch(secret: Buffer, bytes: Buffer): Batch | SharedBatch | undefined {
  if (bytes.length < PROOF) return undefined
  const content = bytes.subarray(PROOF)
  if (!timingSafeEqual(bytes.subarray(0, PROOF), proofOf(secret, [content]))) return undefined
  const end = content.indexOf(END_OF_HEAD)
  const head = JSON.parse(content.toString('utf8', 0, end)) as Head | SharedHead
  let at = end + 1
  const lengths = head.at(-1) as readonly number[]
  const frames = lengths.map((length) => content.subarray(at, (at += length)))
  if (isShared(head)) return { from: head[0], life: head[1], links: head[2], frames }
  const [from, life, to, toLife, number, last] = head
  return { from, life, to, toLife, number, frames, last }
}

function isShared(head: Head | SharedHead): head is SharedHead {
  return Array.isArray(head[2])
}

/** What it is for one node; undefined where it is for others. */
export function partOf(batch: Batch | SharedBatch, node: string): Batch | undefined {
  if (!('links' in batch)) return batch.to === node ? batch : undefined
  const link = batch.links.find(([to]) => to === node)
  if (!link) return undefined
  const [to, toLife, number] = link
  const { from, life, frames } = batch
  return { from, life, to, toLife, number, frames, last: false }
}

function proofOf(secret: Buffer, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac('sha256', secret)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}
