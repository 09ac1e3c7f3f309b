// What tests of stream management have in common: a world with it, and what its clients say.

import type { Test } from 'tap'
import type { Server } from '../../../lib/core/server.js'
import type { Write } from '../../../lib/storage/writes.js'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { DOMAIN, type World, world, type WorldOptions } from '../../world/world.js'

export const SM = "xmlns='urn:xmpp:sm:3'"

export function managed(t: Test, options: WorldOptions = {}): Promise<World> {
  const modules = ['stream-management', 'presence', 'archive', 'disco', 'ping']
  return world(t, { modules, ...options })
}

/** Enables, and gives the id by which the session is resumed. */
export async function enable(client: Client, attributes = "resume='true'"): Promise<string> {
  client.sends(`<enable ${SM} ${attributes}/>`)
  const enabled = await client.finds(`<enabled ${SM}/>`)
  return String(enabled.attrs.id ?? '')
}

interface Where {
  readonly node?: number
  readonly framing?: 'stream' | 'message'
}

/** A new connection that is logged in and has nothing bound. */
export async function connects(w: World, account: string, options: Where = {}): Promise<Client> {
  const address = account.includes('@') ? account : `${account}@${DOMAIN}`
  const client = w.stranger({ account: address, ...options })
  client.open()
  await client.settle()
  client.transport.feed(`<login xmlns='urn:tercet:world'>${address}</login>`)
  await client.clears()
  return client
}

export async function resumes(
  w: World,
  account: string,
  { id, h, ...options }: { id: string; h: number } & Where,
): Promise<Client> {
  const client = await connects(w, account, options)
  client.sends(`<resume ${SM} previd='${id}' h='${h}'/>`)
  await client.settle()
  return client
}

/** What h the server says it has on disk. */
export async function handled(client: Client): Promise<number> {
  await client.settle()
  client.inbox = client.inbox.filter((element) => !element.is('a'))
  client.sends(`<r ${SM}/>`)
  const answer = await client.finds(`<a ${SM}/>`)
  return Number(answer.attrs.h)
}

/** Time passes, one look of the server after the other. */
export async function waits(w: World, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    w.clock.advance(1000)
    await w.settle()
  }
}

/** Time passes while that is so, up to 20 s; milliseconds. */
export async function passes(w: World, still: () => boolean): Promise<number> {
  const began = w.clock.now()
  for (; still() && w.clock.now() - began < 20_000; await new Promise(setImmediate))
    w.clock.advance(50)
  return w.clock.now() - began
}

export function chat(to: string, body: string): string {
  return `<message to='${to}' type='chat' id='${body}'><body>${body}</body></message>`
}

/** Bodies of the messages in an inbox, in order. */
export function bodies(client: Client): string[] {
  return client.inbox
    .filter((element) => element.is('message'))
    .map((element) => element.getChildText('body') ?? '')
}

/** The disk is full for messages, counts and sessions, until what this gives back is called. */
export function fillsDisk({ database }: Server): () => void {
  const { write } = database
  database.write = () => Promise.reject(full())
  return () => {
    database.write = write
  }
}

/** What has a message in it waits until what this gives back is called, and then finds no room: all else does. */
export function refusesMessages({ database }: Server): () => void {
  const write = database.write.bind(database)
  let refuse = () => {}
  const refused = new Promise<never>((_, reject) => {
    refuse = () => reject(full())
  })
  refused.catch(() => undefined)
  database.write = (writes) => (writes.some(hasMessage) ? refused : write(writes))
  return refuse
}

function hasMessage(write: Write): boolean {
  return 'sql' in write && write.sql.includes('message')
}

/** Ids of the messages that the client was told of that they failed */
export function refusals(client: Client): string[] {
  const refused = client.inbox.filter((element) => element.is('message') && isError(element))
  return refused.map(({ attrs }) => String(attrs.id))
}

function isError({ attrs }: Element): boolean {
  return attrs.type === 'error'
}

function full(): Error {
  return Object.assign(new Error('the disk is full'), { code: 'SQLITE_FULL' })
}
