// Loaded before a test file by the suite. `tap` follows every promise and every handle from its birth to its
// end, only to know in which test an error was thrown that nobody caught; that is a quarter of all the work.
// Without it such an error still ends the file, which fails, and says its stack.

import asyncHooks, { type AsyncHook } from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const idle: AsyncHook = { enable: () => idle, disable: () => idle }

if (isMainThread) {
  const { createHook } = asyncHooks
  Object.assign(asyncHooks, { createHook: () => idle })
  syncBuiltinESMExports()
  await import('tap')
  // Whoever else wants hooks has them.
  Object.assign(asyncHooks, { createHook })
  syncBuiltinESMExports()
}
