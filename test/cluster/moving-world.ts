// Two nodes over a real Redis and a real PostgreSQL, and Romeo's phone on the second one: what tests of
// resumption at another node have in common.

import type { Test } from 'tap'
import { LEASE } from '../../lib/cluster/membership.js'
import type { Session } from '../../lib/core/session.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { enable } from '../modules/stream-management/sm-world.js'
import type { Client } from '../world/client.js'
import { freshPostgres } from '../world/postgres.js'
import type { TestRedis } from '../world/redis.js'
import { RedisNodes } from '../world/redis-nodes.js'
import { DOMAIN, type World, world } from '../world/world.js'

export const ROMEO = `romeo@${DOMAIN}`
export const JULIET = `juliet@${DOMAIN}`
export const NOT_FOUND = "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"

export interface Moving {
  readonly w: World
  /** On the second node */
  readonly phone: Client
  /** By which its session is resumed */
  readonly id: string
}

export async function twoNodes(t: Test, redis: TestRedis): Promise<Moving> {
  await redis.ask('flushall')
  const cluster = new RedisNodes(redis.url)
  const database = await freshPostgres()
  const w = await world(t, { nodes: 2, cluster, database, modules: 'all', loggedIn: false })
  // Before that nobody is sure who else is there.
  w.clock.advance(LEASE)
  const phone = await w.device('romeo', 'phone', { node: 1 })
  await phone.comesOnline()
  const id = await enable(phone)
  await phone.clears()
  return { w, phone, id }
}

export async function present(w: World, name: string, node: number): Promise<Client> {
  const client = await w.device(name, name === 'romeo' ? 'laptop' : 'phone', { node })
  await client.comesOnline()
  await client.clears()
  return client
}

/** Of Romeo's phone */
export function sessionOn(w: World, node: number): Session | undefined {
  return w.servers[node]!.hosts.get(DOMAIN)!.sessions.find(Jid.parse(`${ROMEO}/phone`))
}

/** How many stanzas came that the client counts */
export function counted(client: Client): number {
  const stanzas = ['message', 'presence', 'iq']
  return client.inbox.filter((element) => stanzas.includes(element.getName())).length
}

/** Romeo and Juliet see each other. */
export async function befriend(w: World, phone: Client, juliet: Client): Promise<void> {
  phone.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  await w.settle()
  juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  juliet.sends(`<presence type='subscribe' to='${ROMEO}'/>`)
  await w.settle()
  phone.sends(`<presence type='subscribed' to='${JULIET}'/>`)
  await w.settle()
}

/** Time passes until the client has heard something. */
export async function passes(w: World, client: Client): Promise<void> {
  while (client.inbox.length === 0 && !client.closed) {
    w.clock.advance(250)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
