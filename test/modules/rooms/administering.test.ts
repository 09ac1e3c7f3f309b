// What moderators, admins and owners do with the people of a room (XEP-0045 §8, §9, §10.3 to §10.8).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import type { WorldOptions } from '../../world/world.js'
import {
  codes,
  condition,
  configures,
  enters,
  item,
  NS_ADMIN,
  opened,
  ROOM,
  roomsWorld,
} from './rooms-world.js'

function sets(client: Client, items: string): Promise<Element> {
  return client.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${items}</query>`)
}

function gets(client: Client, items: string): Promise<Element> {
  return client.asks('get', ROOM, `<query xmlns='${NS_ADMIN}'>${items}</query>`)
}

function listed(answer: Element): Record<string, string>[] {
  const items = answer.getChild('query')?.getChildren('item') ?? []
  return items.map(({ attrs }) => ({ ...attrs }) as Record<string, string>)
}

function presenceOf(client: Client, nick: string): Element[] {
  return client.inbox.filter(
    (element) => element.is('presence') && element.attrs.from === `${ROOM}/${nick}`,
  )
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const options = async (): Promise<WorldOptions> =>
    nodes === 1 ? {} : { nodes, spread: true, database: await freshPostgres() }

  test(`who is kicked is told why and by whom, and everybody sees it (XEP-0045 §8.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    await opened(w, { Romeo: romeo, Juliet: juliet, Mercutio: mercutio })
    const answer = await sets(
      romeo,
      "<item nick='Juliet' role='none'><reason>Avaunt!</reason></item>",
    )
    t.equal(answer.attrs.type, 'result')
    await w.settle()
    for (const client of [juliet, mercutio]) {
      const [gone] = presenceOf(client, 'Juliet')
      t.equal(gone?.attrs.type, 'unavailable')
      t.match(item(gone!), { affiliation: 'none', role: 'none' })
      t.same(codes(gone!), client === juliet ? ['307', '110'] : ['307'])
      const inner = gone!.getChild('x', 'http://jabber.org/protocol/muc#user')?.getChild('item')
      t.equal(inner?.getChildText('reason'), 'Avaunt!')
      t.equal(inner?.getChild('actor')?.attrs.nick, 'Romeo')
    }
    await juliet.clears()
    await enters(juliet, 'Juliet')
    t.equal(item(presenceOf(juliet, 'Juliet')[0]!).role, 'participant', 'a kick is no ban')
  })

  test(`moderators kick nobody of a higher affiliation and no other moderator (§5.1, §8.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    await opened(w, { Romeo: romeo, Juliet: juliet, Mercutio: mercutio })
    const made = "<item nick='Juliet' role='moderator'/><item nick='Mercutio' role='moderator'/>"
    t.equal(condition(await sets(juliet, "<item nick='Mercutio' role='none'/>")), 'forbidden')
    t.equal((await sets(romeo, made)).attrs.type, 'result', 'an owner makes moderators (§9.6)')
    await w.settle()
    t.equal(item(presenceOf(mercutio, 'Juliet')[0]!).role, 'moderator')
    for (const role of ['none', 'visitor', 'participant']) {
      const refused = await sets(juliet, `<item nick='Romeo' role='${role}'/>`)
      t.equal(condition(refused), 'not-allowed', `an owner is not made ${role}`)
      const other = await sets(juliet, `<item nick='Mercutio' role='${role}'/>`)
      t.equal(condition(other), 'not-allowed', 'nor another moderator (§5.1.3)')
    }
    t.equal(condition(await sets(juliet, "<item nick='Mercutio' role='moderator'/>")), 'forbidden')
    t.equal(condition(await sets(romeo, "<item nick='Romeo' role='visitor'/>")), 'not-allowed')
    t.equal((await sets(romeo, "<item nick='Juliet' role='participant'/>")).attrs.type, 'result')
    t.equal(condition(await sets(juliet, "<item nick='Mercutio' role='none'/>")), 'forbidden')
    t.equal((await sets(mercutio, "<item nick='Mercutio' role='none'/>")).attrs.type, 'result')
    const admin = `<item jid='${juliet.account}' affiliation='admin'/>`
    t.equal((await sets(romeo, admin)).attrs.type, 'result')
    const higher = await sets(juliet, "<item nick='Romeo' role='none'/>")
    t.equal(condition(higher), 'not-allowed', 'an admin kicks no owner (§8.2)')
    t.equal((await sets(romeo, "<item nick='Juliet' role='none'/>")).attrs.type, 'result')
    t.equal(condition(await sets(romeo, "<item nick='Nobody' role='none'/>")), 'item-not-found')
  })

  test(`voice is given and taken, and only who has it speaks (§8.3, §8.4, §8.5, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    await opened(
      w,
      { Romeo: romeo, Juliet: juliet, Mercutio: mercutio },
      { fields: { moderatedroom: '1' } },
    )
    t.equal(condition(await gets(juliet, "<item role='participant'/>")), 'forbidden')
    t.same(listed(await gets(romeo, "<item role='participant'/>")), [])
    const granted = "<item nick='Juliet' role='participant'><reason>Speak</reason></item>"
    t.equal((await sets(romeo, granted)).attrs.type, 'result')
    t.same(listed(await gets(romeo, "<item role='participant'/>")), [
      { affiliation: 'none', role: 'participant', jid: juliet.jid, nick: 'Juliet' },
    ])
    t.same(
      listed(await gets(romeo, "<item role='visitor'/>")).map(({ nick }) => nick),
      ['Mercutio'],
    )
    t.equal(item(presenceOf(mercutio, 'Juliet')[0]!).role, 'participant')
    await mercutio.clears()
    t.equal((await sets(romeo, "<item nick='Juliet' role='visitor'/>")).attrs.type, 'result')
    t.equal(item(presenceOf(mercutio, 'Juliet')[0]!).role, 'visitor')
    t.same(
      listed(await gets(romeo, "<item role='moderator'/>")).map(({ nick }) => nick),
      ['Romeo'],
    )
  })

  test(`who is banned goes, stays away, and is on the list with the reason (§9.1, §9.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    await opened(w, { Romeo: romeo, Juliet: juliet, Mercutio: mercutio })
    const ban = `<item affiliation='outcast' jid='${juliet.account}'><reason>Treason</reason></item>`
    t.equal(condition(await sets(mercutio, ban)), 'forbidden')
    t.equal((await sets(romeo, ban)).attrs.type, 'result')
    await w.settle()
    for (const client of [juliet, mercutio]) {
      const [gone] = presenceOf(client, 'Juliet')
      t.equal(gone?.attrs.type, 'unavailable')
      t.match(item(gone!), { affiliation: 'outcast', role: 'none' })
      t.ok(codes(gone!).includes('301'))
    }
    await juliet.clears()
    await enters(juliet, 'Juliet')
    t.equal(condition(await juliet.finds("<presence type='error'/>")), 'forbidden', '§7.2.7')
    const list = await gets(romeo, "<item affiliation='outcast'/>")
    t.same(listed(list), [{ affiliation: 'outcast', jid: juliet.account }])
    t.equal(list.getChild('query')?.getChild('item')?.getChildText('reason'), 'Treason')
    t.equal(condition(await gets(mercutio, "<item affiliation='outcast'/>")), 'forbidden')
    const unban = `<item affiliation='none' jid='${juliet.account}'/>`
    t.equal((await sets(romeo, unban)).attrs.type, 'result')
    await juliet.clears()
    await enters(juliet, 'Juliet')
    t.ok(presenceOf(juliet, 'Juliet').length > 0)
    const whole = `<item affiliation='outcast' jid='${romeo.account.split('@')[1]}'/>`
    t.equal((await sets(romeo, whole)).attrs.type, 'result', 'a domain (§9.2)')
    await w.settle()
    t.ok(codes(presenceOf(mercutio, 'Mercutio').at(-1)!).includes('301'))
    t.equal(presenceOf(romeo, 'Romeo').length, 0, 'what one has of one’s own counts first (§9.2)')
  })

  test(`no request is done by half, and nobody takes the last owner (§9.2, §10.4, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    const tybalt = w.person('tybalt')
    await opened(w, { Romeo: romeo, Juliet: juliet, Mercutio: mercutio })
    const admin = `<item affiliation='admin' jid='${juliet.account}'/>`
    t.equal((await sets(romeo, admin)).attrs.type, 'result')
    await w.settle()
    t.match(item(presenceOf(mercutio, 'Juliet')[0]!), { affiliation: 'admin', role: 'moderator' })

    const banSelf = `<item affiliation='outcast' jid='${juliet.account}'/>`
    const banMercutio = `<item affiliation='outcast' jid='${mercutio.account}'/>`
    t.equal(condition(await sets(juliet, banMercutio + banSelf)), 'conflict', '§9.1')
    const banOwner = `<item affiliation='outcast' jid='${romeo.account}'/>`
    t.equal(condition(await sets(juliet, banMercutio + banOwner)), 'not-allowed', '§9.1')
    t.same(listed(await gets(juliet, "<item affiliation='outcast'/>")), [], 'nothing was done')
    for (const affiliation of ['none', 'member', 'admin']) {
      const less = `<item affiliation='${affiliation}' jid='${romeo.account}'/>`
      t.equal(condition(await sets(romeo, less)), 'conflict', `the last owner as ${affiliation}`)
      t.equal(condition(await sets(juliet, less)), 'forbidden', '§10.5')
    }
    const raise = `<item affiliation='owner' jid='${juliet.account}'/>`
    t.equal(condition(await sets(juliet, raise)), 'forbidden', '§10.3')
    t.equal(condition(await sets(romeo, banOwner)), 'conflict', 'nobody bans himself')
    t.equal((await sets(romeo, raise)).attrs.type, 'result')
    const step = `<item affiliation='admin' jid='${romeo.account}'/>`
    t.equal((await sets(romeo, step)).attrs.type, 'result', 'there is another owner now')
    const member = `<item affiliation='member' jid='${tybalt.account}/tomb'/>`
    t.equal((await sets(romeo, member)).attrs.type, 'result', 'admins make members (§9.3)')
    t.same(
      listed(await gets(romeo, "<item affiliation='member'/>")),
      [{ affiliation: 'member', jid: tybalt.account }],
      'of a full address the bare one counts (§10.3)',
    )
  })

  test(`an item says one thing, and each is named once (§17.4, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    for (const items of [
      "<item nick='Juliet' role='none' affiliation='outcast'/>",
      "<item nick='Juliet'/>",
      "<item nick='Juliet' role='king'/>",
      "<item role='none'/>",
      '',
      "<item nick='Juliet' role='visitor'/><item nick='Juliet' role='none'/>",
    ])
      t.equal(condition(await sets(romeo, items)), 'bad-request', items)
    const nobody = "<item jid='@' affiliation='member'/>"
    t.equal(condition(await sets(romeo, nobody)), 'jid-malformed')
    t.equal(condition(await gets(romeo, "<item affiliation='none'/>")), 'bad-request')
    t.equal(condition(await gets(romeo, "<item role='none'/>")), 'bad-request')
  })

  test(`membership gives a voice, and losing it where only members may be ends the visit (§9.3, §9.4, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    const tybalt = w.person('tybalt')
    const fields = { moderatedroom: '1', whois: 'anyone' }
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields })
    const member = `<item affiliation='member' jid='${juliet.account}'/>`
    t.equal((await sets(romeo, member)).attrs.type, 'result')
    await w.settle()
    t.match(item(presenceOf(juliet, 'Juliet')[0]!), { affiliation: 'member', role: 'participant' })
    await juliet.clears()

    await mercutio.comesOnline()
    await tybalt.comesOnline()
    const absent = `<item affiliation='member' jid='${mercutio.account}'/>`
    t.equal((await sets(romeo, absent)).attrs.type, 'result')
    const told = await juliet.finds(`<message from='${ROOM}'/>`)
    t.match(item(told), { affiliation: 'member', role: 'none', jid: mercutio.account }, '§10.3')
    const courtesy = await mercutio.finds(`<message from='${ROOM}'/>`)
    t.same(codes(courtesy), ['101'], '§18.1')

    await configures(romeo, { membersonly: '1' })
    await w.settle()
    await juliet.clears()
    t.equal((await sets(romeo, member.replace('member', 'none'))).attrs.type, 'result')
    await w.settle()
    const seen = presenceOf(juliet, 'Juliet')
    t.equal(seen.length, 1, 'it is not shown as no member first (§9.4)')
    t.equal(seen[0]?.attrs.type, 'unavailable')
    t.same(codes(seen[0]!), ['321', '110'])
    await juliet.clears()
    await enters(juliet, 'Juliet')
    const refused = await juliet.finds("<presence type='error'/>")
    t.equal(condition(refused), 'registration-required', '§7.2.6')

    const invited = `<item affiliation='member' jid='${tybalt.account}'/>`
    t.equal((await sets(romeo, invited)).attrs.type, 'result')
    const invitation = await tybalt.finds(`<message from='${ROOM}'/>`)
    const x = invitation.getChild('x', 'http://jabber.org/protocol/muc#user')
    t.equal(x?.getChild('invite')?.attrs.from, romeo.account, 'a new member is invited (§9.5)')
  })

  test(`who sees which list follows anonymity and the owner’s word (§9.5, §10.5, §10.8, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    const tybalt = w.person('tybalt')
    await opened(w, { Romeo: romeo, Juliet: juliet, Mercutio: mercutio })
    const standing =
      `<item affiliation='admin' jid='${juliet.account}'/>` +
      `<item affiliation='member' jid='${mercutio.account}'/>`
    t.equal((await sets(romeo, standing)).attrs.type, 'result')
    const sees = async (client: Client): Promise<string[]> => {
      const lists = ['owner', 'admin', 'member', 'outcast']
      const answers: Element[] = []
      for (const list of lists) answers.push(await gets(client, `<item affiliation='${list}'/>`))
      return lists.filter((_, at) => answers[at]!.attrs.type === 'result')
    }
    t.same(await sees(romeo), ['owner', 'admin', 'member', 'outcast'])
    t.same(await sees(juliet), ['member', 'outcast'], 'semi-anonymous: owners alone')
    t.same(await sees(mercutio), [], 'members see no addresses either (§5.2.1)')
    await configures(romeo, { whois: 'anyone' })
    t.same(await sees(juliet), ['owner', 'admin', 'member', 'outcast'])
    t.same(await sees(mercutio), ['owner', 'admin', 'member'])
    t.same(await sees(tybalt), [], 'who is not here and no member')
    await enters(tybalt, 'Tybalt')
    t.same(await sees(tybalt), ['owner', 'admin', 'member'])
    await configures(romeo, { getmemberlist: 'moderator' })
    t.same(await sees(mercutio), [])
    t.same(await sees(juliet), ['owner', 'admin', 'member', 'outcast'])
  })

  test(`what was decided is there when the room is taken up again (§5.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, {
      ...(await options()),
      ...(nodes === 1 && { database: 'sqlite' }),
    })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { persistentroom: '1' } })
    const items =
      `<item affiliation='admin' jid='${juliet.account}' nick='Rose'/>` +
      "<item affiliation='outcast' jid='tybalt@capulet.example'><reason>Thou</reason></item>"
    t.equal((await sets(romeo, items)).attrs.type, 'result')
    await w.restart()
    const again = await w.device('romeo')
    const admins = listed(await gets(again, "<item affiliation='admin'/>"))
    t.same(admins, [{ affiliation: 'admin', jid: juliet.account, nick: 'Rose' }])
    const banned = listed(await gets(again, "<item affiliation='outcast'/>"))
    t.same(banned, [{ affiliation: 'outcast', jid: 'tybalt@capulet.example' }])
  })
}

test('a request changes so many and no more (LIM-admin-items)', async (t) => {
  const w = await roomsWorld(t)
  await opened(w, { Romeo: w.romeo })
  const members = (count: number): string =>
    Array.from(
      { length: count },
      (_, at) => `<item affiliation='member' jid='p${at}@x.example'/>`,
    ).join('')
  t.equal(condition(await sets(w.romeo, members(201))), 'resource-constraint')
  t.equal((await sets(w.romeo, members(200))).attrs.type, 'result')
  t.equal(listed(await gets(w.romeo, "<item affiliation='member'/>")).length, 200)
})
