// What the README promises, after its own start command: two people log in with a client that we did
// not write, and one reads what the other says. Usage: first-run.js PASSWORD-OF-BOTH

import { client, xml } from '@xmpp/client'
import { WebSocket } from 'ws'

Object.assign(globalThis, { WebSocket })
const password = process.argv[2] ?? ''
const service = process.argv[3] ?? 'ws://127.0.0.1:5280/xmpp'
const [romeo, juliet] = ['romeo', 'juliet'].map((username) =>
  client({ service, domain: 'localhost', username, password }),
)
for (const one of [romeo, juliet]) {
  one?.on('error', (error: Error) => {
    console.error(error)
    process.exit(1)
  })
}

const heard = new Promise<string | null>((resolve) => {
  juliet?.on(
    'stanza',
    (stanza: { is(name: string): boolean; getChildText(name: string): string | null }) => {
      if (stanza.is('message')) resolve(stanza.getChildText('body'))
    },
  )
})
await juliet?.start()
await juliet?.send(xml('presence'))
await romeo?.start()
await romeo?.send(
  xml('message', { to: 'juliet@localhost', type: 'chat' }, xml('body', {}, 'But soft!')),
)
if ((await heard) !== 'But soft!') throw new Error('Juliet heard something else')
await Promise.all([romeo?.stop(), juliet?.stop()])
console.log('Juliet heard Romeo')
