// tercet start: the server in the foreground, until a signal ends it.

import { greet, sayReady } from '../greeting.js'
import { processLog } from '../log.js'
import { serve } from '../serving.js'
import { sourceOf } from '../source.js'
import type { Run } from '../verbs.js'

export const run: Run = async (parsed, terminal) =>
  serve({
    source: sourceOf(parsed),
    log: processLog(parsed),
    args: parsed.given,
    tell: (running) => greet(terminal, running, parsed),
    ready: () => sayReady(terminal),
  })
