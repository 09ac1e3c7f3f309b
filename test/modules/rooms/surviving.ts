// What tests of rooms that outlive nodes have in common.

import { choose } from '../../../lib/cluster/owners.js'
import type { Client } from '../../world/client.js'
import { DOMAIN, type World } from '../../world/world.js'
import { SERVICE } from './rooms-world.js'

const PING = "<ping xmlns='urn:xmpp:ping'/>"

/** A room that this node owns as soon as somebody comes for it */
export function roomOf(w: World, node: number): string {
  const members = w.servers.map(({ node, life }) => ({ node, life }))
  for (let i = 0; ; i++) {
    const room = `orchard${i}@${SERVICE}`
    if (choose(members, `room ${DOMAIN}\n${room}`).node === `node${node}`) return room
  }
}

export async function isIn(client: Client, room: string, nick: string): Promise<boolean> {
  return (await client.asks('get', `${room}/${nick}`, PING)).attrs.type === 'result'
}

/** Bodies of all that ever came to these streams, each message of the room once, in order of arrival */
export function allHeard(...clients: Client[]): string[] {
  const seen = new Set<string>()
  const bodies: string[] = []
  for (const text of clients.flatMap(({ transcript }) => transcript)) {
    const id = /<stanza-id [^>]*id='([^']*)'/.exec(text)?.[1]
    const body = /<body>([^<]*)<\/body>/.exec(text)?.[1]
    if (id === undefined || body === undefined || seen.has(id)) continue
    seen.add(id)
    bodies.push(body)
  }
  return bodies
}

/** How many stanzas its client has counted */
export function stanzas({ transcript }: Client): number {
  const after = transcript.slice(transcript.findIndex((text) => text.startsWith('<enabled')))
  return after.filter((text) => /^<(message|presence|iq)[\s>]/.test(text)).length
}
