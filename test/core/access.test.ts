// Who may ask what: every meaning of `allow`, asked by everybody there is.

import { test } from 'tap'
import { mayAsk } from '../../lib/core/access.js'
import { type Allow, defineModule } from '../../lib/core/module.js'
import { xml } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { DOMAIN, world } from '../world/world.js'

const kinds: readonly Allow[] = ['anyone', 'local', 'self', 'subscriber', 'admin']

/** Answers one request for each kind; of contacts it knows that the nurse sees Juliet. */
const doors = defineModule({
  name: 'doors',
  summary: 'A door of every kind',
  setup: () => ({
    contacts: {
      seesPresence: async (account: Jid, contact: Jid) =>
        account.local === 'juliet' && contact.local === 'nurse',
    },
    iq: kinds.flatMap((allow) =>
      (['host', 'account'] as const).map((to) => ({
        get: allow,
        xmlns: 'urn:example:doors',
        to,
        allow,
        answer: () => xml('open', 'urn:example:doors'),
      })),
    ),
  }),
})

const people = ['romeo', 'juliet', 'nurse', 'benvolio@verona.example']
const all = { modules: [doors], hosts: ['verona.example'], people }

/** Which doors of Juliet's account open, and what the others say. */
async function tries(ask: (allow: Allow) => Promise<string>): Promise<Record<Allow, string>> {
  const answers = {} as Record<Allow, string>
  for (const allow of kinds) answers[allow] = await ask(allow)
  return answers
}

test('each kind lets in whom it names; others learn nothing of an account (SEC-22)', async (t) => {
  const w = await world(t, all)
  const at = (name: string, to: string) =>
    tries(async (allow) => {
      const answer = await w.person(name).asks('get', to, `<${allow} xmlns='urn:example:doors'/>`)
      const error = answer.getChild('error')?.children[0]
      return error ? String(error).slice(1).split(' ')[0]! : 'open'
    })
  const juliet = `juliet@${DOMAIN}`
  const shut = 'service-unavailable'
  t.same(await at('romeo', juliet), {
    anyone: 'open',
    local: 'open',
    self: shut,
    subscriber: shut,
    admin: 'forbidden',
  })
  t.same(await at('nurse', juliet), {
    anyone: 'open',
    local: 'open',
    self: shut,
    subscriber: 'open',
    admin: 'open',
  })
  t.same(await at('juliet', juliet), {
    anyone: 'open',
    local: 'open',
    self: 'open',
    subscriber: 'open',
    admin: 'forbidden',
  })
  t.same(await at('benvolio@verona.example', juliet), {
    anyone: 'open',
    local: shut,
    self: shut,
    subscriber: shut,
    admin: 'forbidden',
  })
  t.same(await at('romeo', DOMAIN), {
    anyone: 'open',
    local: 'open',
    self: 'forbidden',
    subscriber: 'forbidden',
    admin: 'forbidden',
  })
  t.equal((await at('nurse', DOMAIN)).admin, 'open')
  t.equal((await at('benvolio@verona.example', DOMAIN)).local, 'forbidden')
})

test('a request to an account that is not there is answered as one that nobody may ask (SEC-22)', async (t) => {
  const { romeo } = await world(t, all)
  const door = "<subscriber xmlns='urn:example:doors'/>"
  const there = await romeo.asks('get', `juliet@${DOMAIN}`, door)
  const nobody = await romeo.asks('get', `nobody@${DOMAIN}`, door)
  t.equal(String(nobody.getChild('error')), String(there.getChild('error')))
})

test('a domain is no local user, and no administrator', async (t) => {
  const w = await world(t, {
    ...all,
    host: { admins: [DOMAIN, `nurse@${DOMAIN}`] },
  })
  const host = w.server.hosts.get(DOMAIN)!
  t.notOk(host.isAdmin(Jid.parse(DOMAIN)))
  t.ok(host.isAdmin(Jid.parse(`nurse@${DOMAIN}/phone`)))
  const answered: string[] = []
  const request = (allow: Allow) =>
    new Envelope({
      stanza: Stanza.of(xml('iq', { type: 'get', id: allow }, xml(allow, 'urn:example:doors'))),
      from: host.jid,
      to: Jid.parse(`juliet@${DOMAIN}`),
      origin: 'local',
      arrived: 0,
    })
  for (const allow of kinds)
    if (await mayAsk(allow, host, { envelope: request(allow), session: undefined }))
      answered.push(allow)
  t.same(answered, ['anyone'])
})
