// What newcomers are shown of those who are here is what these are now, whoever came before and whatever they
// may see.

import { test } from 'tap'
import type { Client } from '../../world/client.js'
import { configures, enters, item, NS_ADMIN, opened, ROOM, roomsWorld } from './rooms-world.js'

/** Enters, sees who is here, goes again; what it was shown of one of them */
async function glances(client: Client, of: string): Promise<Record<string, string>> {
  await enters(client, 'Passer-by')
  const presence = client.inbox.find(({ attrs }) => attrs.from === `${ROOM}/${of}`)
  client.sends(`<presence type='unavailable' to='${ROOM}/Passer-by'/>`)
  await client.settle()
  await client.clears()
  return { status: presence?.getChildText('status') ?? '', ...(presence && item(presence)) }
}

for (const nodes of [1, 2] as const)
  test(`everybody who comes is shown what the others are now (XEP-0045 §7.2.2, ${nodes} nodes)`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread: nodes === 2 })
    const { romeo, juliet } = w
    const tybalt = w.person('tybalt')
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const member = { affiliation: 'none', role: 'participant', jid: undefined }
    t.match(await glances(tybalt, 'Juliet'), { ...member, status: '' })
    t.match(await glances(tybalt, 'Juliet'), { ...member, status: '' }, 'as it was made before')

    juliet.sends(`<presence to='${ROOM}/Juliet'><status>on the balcony</status></presence>`)
    await juliet.settle()
    t.match(await glances(tybalt, 'Juliet'), { ...member, status: 'on the balcony' })

    const grant = `<item nick='Juliet' role='visitor'/>`
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${grant}</query>`)
    await w.settle()
    t.match(await glances(tybalt, 'Juliet'), { ...member, role: 'visitor' })

    await configures(romeo, { whois: 'anyone' })
    await w.settle()
    const open = await glances(tybalt, 'Juliet')
    t.match(open, { role: 'visitor', jid: juliet.jid, status: 'on the balcony' }, '§4.2')

    juliet.sends(`<presence to='${ROOM}/Capulet'/>`)
    await juliet.settle()
    await w.settle()
    t.match(await glances(tybalt, 'Capulet'), { role: 'visitor', jid: juliet.jid, status: '' })
    t.equal((await glances(tybalt, 'Juliet')).role ?? '', '', 'nobody is called so any more')
  })
