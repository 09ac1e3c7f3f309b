// What rooms have beyond XEP-0045 outlives the node that owns the room.

import { test } from 'tap'
import type { Client } from '../../world/client.js'
import { waits } from '../stream-management/sm-world.js'
import { enters, item, opened, roomsWorld } from './rooms-world.js'
import { roomOf } from './surviving.js'

const HAT = 'urn:example:host'
const FORM = "<x xmlns='jabber:x:data' type='submit'>"

function field(name: string, value: string): string {
  return `<field var='hats#${name}'><value>${value}</value></field>`
}

function does(client: Client, room: string, name: string, fields: string) {
  const node = `urn:xmpp:hats:commands:${name}`
  const command = `<command xmlns='http://jabber.org/protocol/commands' node='${node}'>`
  return client.asks('set', room, `${command}${FORM}${fields}</x></command>`)
}

test('the owner of a room is killed: its picture, hats and tokens are there as before', async (t) => {
  const w = await roomsWorld(t, { nodes: 2, spread: true })
  const { romeo, juliet } = w
  const tybalt = await w.device('tybalt', 'garden', { node: 1 })
  const room = roomOf(w, 0)
  const fields = { membersonly: '1', persistentroom: '1' }
  await opened(w, { Romeo: romeo }, { room, fields })
  const photo = '<PHOTO><TYPE>image/png</TYPE><BINVAL>YQ==</BINVAL></PHOTO>'
  await romeo.asks('set', room, `<vCard xmlns='vcard-temp'>${photo}</vCard>`)
  await does(romeo, room, 'create', field('title', 'Host') + field('uri', HAT))
  await does(romeo, room, 'assign', field('jid', 'juliet@capulet.example') + field('uri', HAT))
  const request = "<request xmlns='urn:xmpp:muc-token-invite:0' counter='2'/>"
  const token = (await romeo.asks('set', room, request)).getChild('token')!.getText()
  await enters(juliet, 'Juliet', { room, inside: `<password>${token}</password>` })
  await juliet.finds(`<presence from='${room}/Juliet'/>`)
  await juliet.clears()

  await w.restart({ kill: true })
  await waits(w, 3)
  const info = await juliet.asks(
    'get',
    room,
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
  )
  const form = info.getChild('query')!.getChild('x', 'jabber:x:data')!
  const told = form.getChildren('field').map(({ attrs }) => attrs.var)
  t.ok(told.includes('muc#roominfo_avatarhash'))
  t.ok(told.includes('hats#hash'))
  const card = await juliet.asks('get', room, "<vCard xmlns='vcard-temp'/>")
  t.equal(card.getChild('vCard')?.getChild('PHOTO')?.getChildText('BINVAL'), 'YQ==')

  await enters(tybalt, 'Tybalt', { room, inside: `<password>${token}</password>` })
  const seen = await tybalt.finds(`<presence from='${room}/Juliet'/>`)
  t.equal(seen.getChild('hats', 'urn:xmpp:hats:0')?.getChild('hat')?.attrs.uri, HAT)
  const self = await tybalt.finds(`<presence from='${room}/Tybalt'/>`)
  t.equal(item(self).affiliation, 'member')
  t.ok(await tybalt.finds(`<presence from='${room}'><x xmlns='vcard-temp:x:update'/></presence>`))
})
