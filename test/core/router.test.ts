// Where an envelope goes: an account, a host, a module's domain, or nowhere yet; and how refusals are
// answered.

import { test } from 'tap'
import { defineModule } from '../../lib/core/module.js'
import { handled } from '../../lib/core/pipeline.js'
import { xml } from '../../lib/xmpp/element.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { DOMAIN, world } from '../world/world.js'

const juliet = `juliet@${DOMAIN}/phone`

/** rooms.capulet.example, and all that comes to it. */
function rooms(came: Envelope[]) {
  return defineModule({
    name: 'rooms',
    summary: 'Has a domain of its own',
    setup: () => ({
      domain: {
        subdomain: 'rooms',
        receive(envelope) {
          came.push(envelope)
          if (envelope.stanza.id === 'refuse') throw new StanzaError('not-acceptable')
          if (envelope.stanza.id === 'later')
            return Promise.reject(new StanzaError('item-not-found'))
        },
      },
    }),
  })
}

test('a stanza for a module is handed to the module, which may refuse it', async (t) => {
  const came: Envelope[] = []
  const { romeo } = await world(t, { modules: [rooms(came)] })
  for (const id of ['good', 'refuse', 'later'])
    romeo.sends(`<message to='hall@rooms.${DOMAIN}/x' id='${id}'/>`)
  await romeo.receives(
    "<message type='error' id='refuse'><error><not-acceptable/></error></message>",
  )
  await romeo.receives(
    "<message type='error' id='later'><error><item-not-found/></error></message>",
  )
  t.same(
    came.map(({ stanza, from, to, origin }) => `${stanza.id} ${from} ${to} ${origin}`),
    ['good', 'refuse', 'later'].map((id) => `${id} ${romeo.jid} hall@rooms.${DOMAIN}/x client`),
  )
})

test('a module may write to anybody, and hears what becomes of it', async (t) => {
  const came: Envelope[] = []
  const w = await world(t, { modules: [rooms(came)] })
  const from = Jid.parse(`hall@rooms.${DOMAIN}`)
  const send = (to: string, id: string) =>
    w.server.router.send(Stanza.of(xml('message', { id })), { from, to: Jid.parse(to) })
  send(juliet, 'here')
  const here = await w.juliet.receives("<message id='here'/>")
  t.equal(here.attrs.from, from.text)
  send(`nobody@${DOMAIN}`, 'nobody')
  send('benvolio@montague.example', 'elsewhere')
  send(`another@rooms.${DOMAIN}`, 'own')
  await w.settle()
  came.sort((a, b) => (a.stanza.id < b.stanza.id ? -1 : 1))
  t.same(
    came.map(({ stanza }) => [
      stanza.id,
      stanza.type,
      String(stanza.children.map(({ name }) => name)),
    ]),
    [
      ['elsewhere', 'error', 'error'],
      ['nobody', 'error', 'error'],
      ['own', '', ''],
    ],
  )
})

test('what comes from nowhere for nowhere ends here, whatever it is', async (t) => {
  const w = await world(t)
  const [from, to] = ['a@montague.example', 'b@mantua.example'].map((text) => Jid.parse(text))
  for (const kind of ['message', 'presence', 'iq']) {
    for (const type of ['error', 'get', undefined])
      w.server.router.send(Stanza.of(xml(kind, { id: '1', type })), { from: from!, to: to! })
  }
  await w.settle()
  await w.romeo.receivesNothing()
})

test('a host takes no messages; presence to it is silently taken (RFC 6121 §8.1)', async (t) => {
  const { romeo } = await world(t)
  romeo.sends(`<presence to='${DOMAIN}'/><message to='${DOMAIN}' id='1'/>`)
  await romeo.receives(
    "<message type='error' id='1'><error><service-unavailable/></error></message>",
  )
  romeo.sends(`<iq type='get' id='2' to='${DOMAIN}/x'><a xmlns='b'/></iq>`)
  await romeo.receives("<iq type='error' id='2'><error><service-unavailable/></error></iq>")
  await romeo.receivesNothing()
})

test('an error is never answered, wherever it fails (RFC 6120 §8.3.1)', async (t) => {
  const refuses = defineModule({
    name: 'refuses',
    summary: 'Refuses everything',
    setup: () => {
      const admit = () => {
        throw new StanzaError('policy-violation')
      }
      return {
        hooks: {
          'message:received': { admit },
          'presence:received': { admit },
          'iq:received': { admit },
        },
      }
    },
  })
  const w = await world(t, { modules: [refuses] })
  for (const to of [juliet, `juliet@${DOMAIN}`, DOMAIN, 'x@montague.example']) {
    for (const kind of ['message', 'presence', 'iq'])
      w.romeo.sends(`<${kind} type='error' id='1' to='${to}'><error type='cancel'/></${kind}>`)
    w.romeo.sends(`<iq type='result' id='1' to='${to}'/>`)
  }
  await w.romeo.receivesNothing()
  await w.juliet.receivesNothing()
  t.notOk(w.romeo.closed)
})

test('an error names the one who was meant, and holds nothing of the stanza (RFC 6120 §8.3.1)', async (t) => {
  const { romeo } = await world(t)
  romeo.sends(`<message to='nobody@${DOMAIN}/x' id='1' type='chat'><body>secret</body></message>`)
  const error = await romeo.receives("<message type='error' id='1'/>")
  t.same([error.attrs.from, error.attrs.to], [`nobody@${DOMAIN}/x`, romeo.jid])
  t.same(error.children.length, 1)
})

test('presence of a type that there is not is refused (RFC 6121 §4.7.1)', async (t) => {
  const { romeo } = await world(t)
  romeo.sends("<presence type='present' id='1'/>")
  await romeo.receives(
    "<presence type='error' id='1'><error type='modify'><bad-request/></error></presence>",
  )
  t.notOk(romeo.closed)
})

test('admit may drop a stanza without a word, on either side', async (t) => {
  const drops = defineModule({
    name: 'drops',
    summary: 'Drops what is named so',
    setup: () => ({
      hooks: {
        'message:sent': { admit: ({ stanza }) => (stanza.id === 'sent' ? handled : undefined) },
        'message:received': {
          admit: async ({ stanza }) => (stanza.id === 'received' ? handled : undefined),
        },
      },
    }),
  })
  const { romeo, juliet: hers } = await world(t, { modules: [drops] })
  for (const id of ['sent', 'received', 'through'])
    romeo.sends(`<message to='${juliet}' id='${id}'/>`)
  await hers.receives("<message id='through'/>")
  await hers.receivesNothing()
  await romeo.receivesNothing()
})

test('a message that nobody takes is kept, or its sender is told (RFC 6121 §8.5.2.2.1)', async (t) => {
  const kept: string[] = []
  const keeps = defineModule({
    name: 'keeps',
    summary: 'Keeps what says so',
    setup: () => ({
      hooks: {
        'message:undelivered': {
          record: ({ stanza }, { entry }) =>
            entry.write(async () => void kept.push(`written ${stanza.id}`)),
          deliver: ({ stanza }) => (stanza.id === 'keep' ? handled : undefined),
          copy: ({ stanza }, { account }) => void kept.push(`copy ${stanza.id} ${account}`),
        },
      },
    }),
  })
  const { romeo } = await world(t, { modules: [keeps] })
  romeo.sends(
    `<message to='juliet@${DOMAIN}' id='keep'/><message to='juliet@${DOMAIN}' id='lose'/>`,
  )
  await romeo.receives(
    "<message type='error' id='lose'><error><service-unavailable/></error></message>",
  )
  await romeo.receivesNothing()
  t.same(
    kept.filter((line) => line.endsWith('keep') || line.startsWith('copy keep')),
    ['written keep', `copy keep juliet@${DOMAIN}`],
  )
})

test('a handler of session:write that breaks harms its own session alone', async (t) => {
  const breaks = defineModule({
    name: 'breaks',
    summary: 'Breaks while writing to a phone',
    setup: () => ({
      hooks: {
        'session:write': {
          admit(_envelope, { session }) {
            if (session?.resource === 'broken') throw new Error('cannot write')
            if (session?.resource === 'refused') throw new StanzaError('not-acceptable')
            return session?.resource === 'waits'
              ? (Promise.reject(new Error('x')) as never)
              : undefined
          },
        },
      },
    }),
  })
  const w = await world(t, { modules: [breaks, 'presence'], mayFail: true })
  const devices = []
  for (const resource of ['broken', 'refused', 'waits', 'well'])
    devices.push(await (await w.device('juliet', resource)).comesOnline())
  const well = devices.at(-1)!
  await well.clears()
  w.romeo.sends(`<message to='juliet@${DOMAIN}' id='1' type='chat'/>`)
  await well.receives("<message id='1'/>")
  await w.romeo.receivesNothing()
  t.ok(w.log.some((line) => line.includes('a bug in session:write')))
})

test('a look-up of an account that fails is a bug, and the sender is told', async (t) => {
  const w = await world(t, { mayFail: true })
  const host = w.server.hosts.get(DOMAIN)!
  host.accounts = { lookup: () => Promise.reject(new Error('no database')) }
  w.romeo.sends(`<message to='somebody@${DOMAIN}' id='1'/>`)
  await w.romeo.receives(
    "<message type='error' id='1'><error><internal-server-error/></error></message>",
  )
  t.equal(w.log.filter((line) => line.includes('no database')).length, 1)
})
