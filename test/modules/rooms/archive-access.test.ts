// Who may read a room's archive (SEC-60, XEP-0313 §6.1.2): every kind of room, every standing, inside or not.

import { test } from 'tap'
import { asks, NS_ARCHIVE } from '../archive/archive-world.js'
import {
  configures,
  enters,
  heard,
  NS_ADMIN,
  opened,
  ROOM,
  roomsWorld,
  says,
} from './rooms-world.js'
import type { Client } from '../../world/client.js'

const kinds: Record<string, Record<string, string>> = {
  public: {},
  hidden: { publicroom: '0' },
  'members-only': { membersonly: '1' },
  'with a password': {
    'muc#roomconfig_passwordprotectedroom': '1',
    'muc#roomconfig_roomsecret': 'rose',
  },
}

/** Who reads: nobody in particular, and somebody inside without a standing */
const may: Record<string, { outside: boolean; inside: boolean | undefined }> = {
  public: { outside: true, inside: true },
  hidden: { outside: false, inside: true },
  // Nobody without a standing is inside.
  'members-only': { outside: false, inside: undefined },
  'with a password': { outside: false, inside: true },
}

async function affiliates(owner: Client, jid: string, affiliation: string): Promise<void> {
  const item = `<item jid='${jid}' affiliation='${affiliation}'/>`
  const answer = await owner.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${item}</query>`)
  if (answer.attrs.type !== 'result') throw new Error(`${answer}`)
}

async function reads(client: Client): Promise<string> {
  const { error, bodies } = await asks(client, { to: ROOM })
  const metadata = await client.asks('get', ROOM, `<metadata xmlns='${NS_ARCHIVE}'/>`)
  if ((metadata.attrs.type === 'error') !== (error !== undefined)) return 'not the same'
  return error ?? bodies.join()
}

for (const nodes of [1, 2] as const)
  for (const [kind, fields] of Object.entries(kinds))
    test(`SEC-60: who reads the archive of a room that is ${kind} (${nodes} nodes)`, async (t) => {
      const w = await roomsWorld(t, { nodes, spread: nodes === 2 })
      const { romeo, juliet } = w
      await opened(w, { Romeo: romeo }, { fields })
      says(romeo, 'a word')
      await heard(romeo)
      const allowed = (is: boolean): string => (is ? 'a word' : 'forbidden')
      t.equal(await reads(romeo), 'a word', 'the owner')
      t.equal(await reads(juliet), allowed(may[kind]!.outside), 'nobody in particular')
      for (const affiliation of ['member', 'admin', 'owner', 'outcast', 'none']) {
        await affiliates(romeo, `juliet@capulet.example`, affiliation)
        const standing = ['member', 'admin', 'owner'].includes(affiliation)
        const outside = affiliation === 'none' ? may[kind]!.outside : standing
        t.equal(await reads(juliet), allowed(outside), `${affiliation}, outside`)
      }
      if (may[kind]!.inside === undefined) return
      await enters(juliet, 'Juliet', { inside: '<password>rose</password>' })
      t.equal(await reads(juliet), allowed(may[kind]!.inside), 'inside')
      await affiliates(romeo, `juliet@capulet.example`, 'outcast')
      t.equal(await reads(juliet), 'forbidden', 'at once')
    })

test('SEC-60: a room that was not configured yet says nothing (XEP-0045 §10.1)', async (t) => {
  const { romeo, juliet } = await roomsWorld(t)
  await enters(romeo, 'Romeo')
  t.equal(await reads(juliet), 'item-not-found')
  t.equal((await configures(romeo)).attrs.type, 'result')
  t.equal(await reads(juliet), '')
})

test('SEC-60: what a stranger asks of a room that is not there makes none', async (t) => {
  const { juliet } = await roomsWorld(t)
  t.equal((await asks(juliet, { to: ROOM })).error, 'item-not-found')
})
