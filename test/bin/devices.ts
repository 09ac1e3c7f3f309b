// People for tests of the program: clients that are not ours, over WebSocket.

import { client, xml, type Client } from '@xmpp/client'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import type { Place } from './program.js'

Object.assign(globalThis, { WebSocket })

const PASSWORD = 'what is in a name'

interface Heard {
  is(name: string): boolean
  getChildText(name: string): string | null
}

export interface Device {
  readonly xmpp: Client
  /** Messages by their texts, in order; resolves when there are so many. */
  hears(count: number): Promise<string[]>
}

export async function device(t: Test, port: number, username: string): Promise<Device> {
  const service = `ws://127.0.0.1:${port}/xmpp`
  const xmpp = client({ service, domain: 'localhost', username, password: PASSWORD })
  const bodies: string[] = []
  let look = (): void => {}
  xmpp.on('error', () => {})
  xmpp.on('stanza', (stanza: Heard) => {
    const body = stanza.is('message') ? stanza.getChildText('body') : null
    if (body !== null) bodies.push(body)
    look()
  })
  t.teardown(() => xmpp.stop())
  await xmpp.start()
  await xmpp.send(xml('presence'))
  const hears = (count: number) =>
    new Promise<string[]>((resolve) => {
      look = () => bodies.length >= count && resolve(bodies)
      look()
    })
  return { xmpp, hears }
}

export function says(from: Device, to: string, body: string): Promise<unknown> {
  return from.xmpp.send(xml('message', { to, type: 'chat' }, xml('body', {}, body)))
}

export async function people({ run }: Place): Promise<void> {
  for (const name of ['romeo', 'juliet'])
    await run(['user', 'add', `${name}@localhost`, '--password-stdin'], `${PASSWORD}\n`)
}
