// Stream management within a login: SASL2 and Bind 2 (XEP-0198 §9, XEP-0388, XEP-0386).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { World } from '../../world/world.js'
import { LoginClient } from '../authentication/login-client.js'
import { identity, NS_SASL2, romeo, scram2 } from '../authentication/sasl2-client.js'
import { bodies, chat, handled, managed, SM } from './sm-world.js'

const NS_SM = 'urn:xmpp:sm:3'
const JULIET = 'juliet@capulet.example'
const BIND = `<bind xmlns='urn:xmpp:bind:0'><tag>Veil</tag><enable ${SM} resume='true'/></bind>`

async function logsIn(w: World, inside: string): Promise<{ login: LoginClient; answer: Element }> {
  const login = await LoginClient.connect(w)
  const { answer } = await scram2(login, romeo, { inside, agent: null })
  await login.client.settle()
  return { login, answer }
}

function resume(id: string, h: number): string {
  return `<resume ${SM} previd='${id}' h='${h}'/>`
}

test('both ways are announced (XEP-0198 §9.1, §9.2)', async (t) => {
  const w = await managed(t)
  const { features } = await LoginClient.connect(w)
  const inline = features.getChild('authentication', NS_SASL2)!.getChild('inline')!
  t.ok(inline.getChild('sm', NS_SM))
  const listed = inline.getChild('bind')!.getChild('inline')!.getChildren('feature')
  t.ok(listed.some((feature) => feature.attrs.var === NS_SM))
})

test('enabled within the bind: counting begins with the answer (XEP-0198 §9.1)', async (t) => {
  const w = await managed(t)
  const { login, answer } = await logsIn(w, BIND)
  const enabled = answer.getChild('bound')?.getChild('enabled', NS_SM)
  t.match(enabled?.attrs, { resume: 'true', max: '600' })
  const { client } = login
  const features = client.inbox.shift()
  t.equal(features?.getName(), 'features')
  t.notOk(features?.getChild('sm', NS_SM), 'clients would enable it once more')
  client.sends(`<presence/>${chat(JULIET, 'one')}`)
  t.equal(await handled(client), 2)
})

test('resumed within the login: nothing is bound, no features follow (XEP-0198 §9.2)', async (t) => {
  const w = await managed(t)
  const first = await logsIn(w, BIND)
  const id = String(first.answer.getChild('bound')?.getChild('enabled')?.attrs.id)
  const bound = identity(first.answer)
  first.login.client.sends('<presence/>')
  await first.login.client.settle()
  await first.login.client.breaks()
  w.juliet.sends(chat(bound!, 'missed'))
  await w.settle()
  const { login, answer } = await logsIn(w, resume(id, 0) + BIND)
  const resumed = answer.getChild('resumed', NS_SM)
  t.match(resumed?.attrs, { previd: id, h: '1' })
  t.notOk(answer.getChild('bound'))
  t.equal(identity(answer), bound)
  t.notOk(login.client.inbox.some((element) => element.getName() === 'features'))
  t.same(bodies(login.client).filter(Boolean), ['missed'])
  t.ok(login.client.transcript.findIndex((text) => text.includes('missed')) > 0)
  login.client.sends(chat(JULIET, 'back'))
  t.equal(await handled(login.client), 2)
})

test('where it fails the bind goes on, in one answer (XEP-0198 §9.2)', async (t) => {
  const w = await managed(t)
  const { login, answer } = await logsIn(w, resume('gone', 0) + BIND)
  t.ok(answer.getChild('failed', NS_SM)?.getChild('item-not-found'))
  t.ok(answer.getChild('bound')?.getChild('enabled', NS_SM))
  t.equal(login.client.inbox.shift()?.getName(), 'features')
  await login.client.asks('get', 'capulet.example', "<ping xmlns='urn:xmpp:ping'/>")
})

test('what comes during the login waits for its end', async (t) => {
  const w = await managed(t)
  const first = await logsIn(w, BIND)
  const id = String(first.answer.getChild('bound')?.getChild('enabled')?.attrs.id)
  const bound = identity(first.answer)
  await first.login.client.breaks()
  const login = await LoginClient.connect(w)
  const logging = scram2(login, romeo, { inside: resume(id, 0), agent: null })
  for (let i = 0; i < 30; i++) {
    w.juliet.sends(chat(bound!, `m${i}`))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { answer } = await logging
  t.ok(answer.getChild('resumed', NS_SM))
  await w.settle()
  const { transcript } = login.client
  const success = transcript.findIndex((text) => text.startsWith('<success'))
  t.ok(transcript.every((text, at) => at > success || !text.startsWith('<message')))
  t.same(
    bodies(login.client),
    Array.from({ length: 30 }, (_, i) => `m${i}`),
  )
})

test('who guesses a password resumes nothing (SEC-26, XEP-0198 §10)', async (t) => {
  const w = await managed(t)
  const first = await logsIn(w, BIND)
  const id = String(first.answer.getChild('bound')?.getChild('enabled')?.attrs.id)
  const thief = await LoginClient.connect(w)
  const wrong = { ...romeo, password: 'guess' }
  const { answer } = await scram2(thief, wrong, { inside: resume(id, 0), agent: null })
  t.ok(answer.is('failure', NS_SASL2))
  t.notOk(first.login.client.closed)
})
