#!/usr/bin/env node
// `tercet`: the command line. Everything else is in dispatch.ts and commands/.

import { dispatch } from './dispatch.js'
import { processTerminal } from './terminal.js'

// Whoever reads our output may have enough of it (`tercet user list | head`): that harms nothing.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

process.exitCode = await dispatch(process.argv.slice(2), processTerminal)
