// What load balancers and supervisors ask over HTTP: /healthz, whether the process is at work, with what works
// less well than it should; /readyz, whether it should be sent clients. Anybody may ask: no names, no values.

import type { ServerResponse } from 'node:http'
import type { HttpRoute } from '../net/http.js'

export interface Health {
  readonly problems: readonly string[]
  readonly degraded: readonly string[]
}

export function healthRoutes(health: Health): HttpRoute[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      handle: (_request, response) => {
        const { degraded } = health
        const status = degraded.length === 0 ? 'ok' : 'degraded'
        answer(response, 200, { status, reasons: degraded })
      },
    },
    {
      method: 'GET',
      path: '/readyz',
      handle: (_request, response) => {
        const { problems } = health
        const ready = problems.length === 0
        answer(response, ready ? 200 : 503, {
          status: ready ? 'ready' : 'not ready',
          reasons: problems,
        })
      },
    },
  ]
}

function answer(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(`${JSON.stringify(content)}\n`)
}
