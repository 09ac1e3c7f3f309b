// What is known of a login, for whoever lists sessions: left on the stream, and on the session once
// there is one.

import type { UserAgent } from './user-agent.js'

export interface LoginFacts {
  readonly mechanism: string
  readonly userAgent: UserAgent
}

const key = Symbol('login facts')

export function factsOf(memo: Map<symbol, unknown>): LoginFacts | undefined {
  return memo.get(key) as LoginFacts | undefined
}

export function leaveFacts(memo: Map<symbol, unknown>, facts: LoginFacts | undefined): void {
  if (facts) memo.set(key, facts)
}
