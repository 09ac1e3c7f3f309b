// Waits for what has no end that a test could wait for: work on other threads, frames between nodes. Turns of
// the event loop until it is so; who waits in vain finds that out by what it checks next.

const LIMIT_MS = 10_000

export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const late = performance.now() + LIMIT_MS
  while (!(await isSo()) && performance.now() < late)
    await new Promise<void>((resolve) => setImmediate(resolve))
}
