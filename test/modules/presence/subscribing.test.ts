// Subscriptions between two accounts (RFC 6121 §3), as their clients see them.

import { test } from 'tap'
import type { Client } from '../../world/client.js'
import { world } from '../../world/world.js'

const modules = ['presence']
export const ROMEO = 'romeo@capulet.example'
export const JULIET = 'juliet@capulet.example'

async function present(...clients: Client[]): Promise<void> {
  for (const client of clients) {
    await client.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
    await client.comesOnline()
  }
  for (const client of clients) await client.clears()
}

function item(attributes: string): string {
  return `<iq type='set'><query xmlns='jabber:iq:roster'><item ${attributes}/></query></iq>`
}

test('a request, its approval, and the presence that follows (RFC 6121 §3.1)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await present(romeo, juliet)
  romeo.sends(
    `<presence type='subscribe' to='${JULIET}/phone' id='s1'><status>Hark</status></presence>`,
  )
  await romeo.receives(item(`jid='${JULIET}' subscription='none' ask='subscribe'`))
  await juliet.receives(
    `<presence type='subscribe' from='${ROMEO}' to='${JULIET}' id='s1'><status>Hark</status></presence>`,
  )
  await juliet.receivesNothing()

  juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  await juliet.receives(item(`jid='${ROMEO}' subscription='from'`))
  await romeo.receives(`<presence type='subscribed' from='${JULIET}' to='${ROMEO}'/>`)
  const push = await romeo.receives(item(`jid='${JULIET}' subscription='to'`))
  t.equal(push.getChild('query')?.getChild('item')?.attrs.ask, undefined)
  await romeo.receives(`<presence from='${JULIET}/phone' to='${ROMEO}'/>`)
  await romeo.receivesNothing()
  await juliet.receivesNothing()
})
