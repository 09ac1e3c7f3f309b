// Logging in, through sockets: who may be whom, and what a stranger learns on the way.

import { outcomeOf, type Peer, type Way } from './driver.js'
import {
  endPointOf,
  exporterOf,
  mechanismsIn,
  NS_SASL2,
  plain,
  plain2,
  scram,
  scram2,
  verdict,
} from './logins.js'
import { DOMAIN, NS_SASL, bind, overBoth, passwordOf, type Served, serve } from './served.js'

const others = [
  `juliet@${DOMAIN}`,
  'romeo@montague.example',
  `romeo@${DOMAIN}/balcony`,
  DOMAIN,
  'romeo',
  `rom\u0435o@${DOMAIN}`,
  `romeo\u200b@${DOMAIN}`,
]

overBoth('SEC-20: nobody acts for another, by PLAIN or SCRAM, by SASL or SASL2', async (t, way) => {
  const house = await serve(t)
  const password = passwordOf('romeo')
  for (const authzid of others) {
    const answers = await Promise.all([
      fresh(house, way).then((peer) => plain(peer, 'romeo', password, authzid)),
      fresh(house, way).then((peer) => plain2(peer, 'romeo', password, authzid)),
      fresh(house, way)
        .then((peer) => scram(peer, 'romeo', { authzid }))
        .then(answerOf),
      fresh(house, way)
        .then((peer) => scram2(peer, 'romeo', { authzid }))
        .then(answerOf),
    ])
    t.same(answers.map(verdict), Array(4).fill('invalid-authzid'), authzid)
  }
})

overBoth(
  'SEC-20: the session is the verifier’s account, however it was written',
  async (t, way) => {
    const house = await serve(t)
    for (const authzid of [`ROMEO@${DOMAIN.toUpperCase()}`, `\uff52omeo@${DOMAIN}`]) {
      const peer = await fresh(house, way)
      t.equal(verdict(await plain(peer, 'ROMEO', passwordOf('romeo'), authzid)), 'success')
      peer.opens(DOMAIN)
      await peer.finds('features')
      t.equal(await bind(peer, 'balcony'), `romeo@${DOMAIN}/balcony`)
    }
  },
)

async function fresh(house: Served, way: Way): Promise<Peer> {
  return (await house.stranger(way)).peer
}

function answerOf({ answer }: Awaited<ReturnType<typeof scram>>) {
  return answer
}

overBoth(
  'SEC-21: a proof that is nearly right is answered like one that is all wrong',
  async (t, way) => {
    const house = await serve(t)
    const answers = new Set<string>()
    for (const at of [0, 15, 31, 'short', 'long'] as const) {
      const change = (final: Buffer) => {
        const [head, proof] = final.toString().split(',p=') as [string, string]
        return Buffer.from(
          `${head},p=${changed(Buffer.from(proof, 'base64'), at).toString('base64')}`,
        )
      }
      answers.add(String((await scram(await fresh(house, way), 'romeo', { change })).answer))
    }
    for (const password of [`${passwordOf('romeo')}x`, passwordOf('romeo').slice(1), 'x'])
      answers.add(String(await plain(await fresh(house, way), 'romeo', password)))
    t.equal(answers.size, 1, [...answers].join(' '))
    t.match([...answers][0], /not-authorized/)
  },
)

function changed(proof: Buffer, at: number | 'short' | 'long'): Buffer {
  if (at === 'short') return proof.subarray(0, 31)
  if (at === 'long') return Buffer.concat([proof, Buffer.alloc(1)])
  const copy = Buffer.from(proof)
  copy[at]! ^= 1
  return copy
}

overBoth('SEC-22: a stranger cannot tell who has an account', async (t, way) => {
  const house = await serve(t)
  const seen = new Set<string>()
  for (const name of ['romeo', 'juliet', 'mercutio', 'tybalt', 'x'.repeat(1000), 'a b']) {
    const peer = await house.connects(way)
    peer.opens(DOMAIN, name.includes(' ') ? {} : { from: `${name}@${DOMAIN}` })
    const offered = mechanismsIn(await peer.finds('features')).join(' ')
    const { client, answer } = await scram(peer, name, { password: 'guess' })
    const again = await scram(await fresh(house, way), name, { password: 'guess' })
    t.equal(client.attribute('s'), again.client.attribute('s'), 'the salt stays the same')
    const salt = Buffer.from(client.attribute('s')!, 'base64').length
    const byPlain = await plain(await fresh(house, way), name, 'guess')
    seen.add([offered, salt, client.attribute('i'), answer, byPlain].join(' '))
  }
  t.equal(seen.size, 1, [...seen].join('\n'))
})

overBoth('SEC-22: and neither by how long it takes', async (t, way) => {
  const house = await serve(t)
  const times = { known: [] as number[], unknown: [] as number[] }
  let peer = await fresh(house, way)
  for (let round = 0; round < 240; round++) {
    const [kind, name] =
      round % 2 ? (['known', 'romeo'] as const) : (['unknown', 'mercutio'] as const)
    const before = performance.now()
    await scram(peer, name, { password: 'guess' })
    times[kind].push(performance.now() - before)
    if (round % 4 === 3) {
      peer.drop()
      peer = await fresh(house, way)
    }
  }
  const [known, unknown] = [median(times.known), median(times.unknown)]
  const ratio = known / unknown
  t.ok(ratio > 0.5 && ratio < 2, `${known.toFixed(3)} ms and ${unknown.toFixed(3)} ms`)
})

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}

overBoth('SEC-22: neither do disco, vCards, pings and presence tell', async (t, way) => {
  const house = await serve(t)
  const romeo = await house.logsIn(way, 'romeo')
  const questions = [
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    "<query xmlns='http://jabber.org/protocol/disco#items'/>",
    "<vCard xmlns='vcard-temp'/>",
    "<ping xmlns='urn:xmpp:ping'/>",
    "<query xmlns='jabber:iq:last'/>",
    "<query xmlns='jabber:iq:private'><x xmlns='urn:x'/></query>",
    "<query xmlns='jabber:iq:roster'/>",
    "<query xmlns='urn:xmpp:mam:2'/>",
  ]
  for (const question of questions) {
    const [known, unknown] = [
      await romeo.peer.asks('get', `juliet@${DOMAIN}`, question),
      await romeo.peer.asks('get', `tybalt@${DOMAIN}`, question),
    ]
    t.equal(outcomeOf(known), outcomeOf(unknown), question)
  }
})

overBoth('SEC-23: only what was offered', async (t, way) => {
  const house = await serve(t)
  for (const secure of [false, true]) {
    for (const mechanism of [
      'EXTERNAL',
      'ANONYMOUS',
      'SCRAM-MD5',
      'CRAM-MD5',
      'plain',
      '',
      'HT-SHA-256-ENDP',
      'SCRAM-SHA-256-PLUS',
    ]) {
      if (secure && mechanism.endsWith('-PLUS')) continue
      for (const profile of ['sasl', 'sasl2'] as const) {
        const peer = secure ? await house.connectsSecurely(way) : await house.connects(way)
        peer.opens(DOMAIN)
        const features = await peer.finds('features')
        t.notOk(mechanismsIn(features).includes(mechanism), mechanism)
        peer.sends(attemptOf(mechanism, profile))
        t.equal(verdict(await peer.next()), 'invalid-mechanism', `${mechanism} by ${profile}`)
        peer.drop()
      }
    }
  }
})

function attemptOf(mechanism: string, profile: 'sasl' | 'sasl2'): string {
  const initial = Buffer.from('n,,n=romeo,r=nonce').toString('base64')
  return profile === 'sasl'
    ? `<auth xmlns='${NS_SASL}' mechanism='${mechanism}'>${initial}</auth>`
    : `<authenticate xmlns='${NS_SASL2}' mechanism='${mechanism}'><initial-response>${initial}</initial-response></authenticate>`
}

const PLUS = 'SCRAM-SHA-256-PLUS'

overBoth('SEC-24: a login is tied to its TLS, or refused', async (t, way) => {
  const house = await serve(t)
  const peers: Peer[] = []
  const secure = async () => {
    const peer = await house.connectsSecurely(way)
    peers.push(peer)
    peer.opens(DOMAIN)
    t.ok(mechanismsIn(await peer.finds('features')).includes(PLUS))
    return peer
  }
  const first = await secure()
  const exporter = { mechanism: PLUS, flag: 'p=tls-exporter', binding: exporterOf(first) }
  t.equal(verdict((await scram(first, 'romeo', exporter)).answer), 'success')
  const second = await secure()
  const endPoint = { mechanism: PLUS, flag: 'p=tls-server-end-point', binding: endPointOf(second) }
  t.equal(verdict((await scram2(second, 'romeo', endPoint)).answer), 'success')
  const man = await secure()
  t.equal(
    verdict((await scram(man, 'romeo', exporter)).answer),
    'not-authorized',
    'of another connection',
  )
  const wrong = { ...endPoint, binding: Buffer.alloc(32) }
  t.equal(
    verdict((await scram(man, 'romeo', wrong)).answer),
    'not-authorized',
    'of another certificate',
  )
  t.equal(
    verdict((await scram(man, 'romeo', { flag: 'y' })).answer),
    'not-authorized',
    'PLUS was offered',
  )
  const unique = { ...exporter, flag: 'p=tls-unique' }
  t.equal(verdict((await scram(man, 'romeo', unique)).answer), 'malformed-request', 'tls-unique')
  for (const peer of peers) peer.drop()
})
