// Several generators do things at the same time: each says when it is ready, and waits for a word of whoever
// started it (ensemble.ts).
import { createInterface } from 'node:readline'

export type Word = 'go' | 'stop'

const heard = new Map<Word, () => void>()
const words = new Map<Word, Promise<void>>()

function listen(): void {
  for (const word of ['go', 'stop'] as const)
    words.set(word, new Promise((resolve) => heard.set(word, resolve)))
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => heard.get(line as Word)?.())
}

/** Resolves when it is said. */
export function told(word: Word): Promise<void> {
  if (words.size === 0) listen()
  return words.get(word)!
}

export async function readyToGo(): Promise<void> {
  const go = told('go')
  process.stdout.write('{"ready":true}\n')
  await go
}
