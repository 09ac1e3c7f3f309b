// Presence for many contacts, told to each node once (RFC 6121 §4.2.2, §4.3.1, §4.5.2).

import { test } from 'tap'
import { defineModule } from '../../../lib/core/module.js'
import presence from '../../../modules/presence/presence.js'
import roster from '../../../modules/roster/roster.js'
import type { Rosters } from '../../../modules/roster/rosters.js'
import type { Client } from '../../world/client.js'
import { world } from '../../world/world.js'

const HOST = 'capulet.example'
const NAMES = ['romeo', 'juliet', 'nurse'] as const

const times = (client: Client, presence: string): number =>
  client.transcript.join('').split(presence).length - 1

test('every device hears it once, on whatever node, and nobody is looked for', async (t) => {
  const rosters: Rosters[] = []
  const spy = defineModule({
    name: 'spy',
    summary: 'Hands out the rosters of each node',
    requires: [roster, presence],
    setup(host) {
      rosters.push(host.use(roster))
      return {}
    },
  })
  const here = await world(t, { modules: ['presence', spy], nodes: 2, people: NAMES })
  const { accounts } = here.server.hosts.get(HOST)!
  const [romeo, juliet, nurse] = await Promise.all(NAMES.map((name) => accounts!.lookup(name)))
  await rosters[0]!.setMutual(romeo!, juliet!)
  await rosters[0]!.setMutual(romeo!, nurse!)
  const devices = [
    here.juliet,
    await here.device('juliet', 'tablet', { node: 1 }),
    await here.device('nurse', 'radio', { node: 1 }),
  ]
  for (const device of devices) await device.comesOnline()
  await here.settle()

  const asked: string[] = []
  const { directory } = here.server
  const lookup = directory.lookup.bind(directory)
  directory.lookup = (account) => {
    asked.push(account)
    return lookup(account)
  }
  await here.romeo.comesOnline()
  await here.settle()
  t.notOk(
    asked.some((account) => account !== `romeo@${HOST}`),
    asked.join(),
  )
  for (const device of devices)
    t.equal(times(device, `<presence from='romeo@${HOST}/phone'`), 1, 'it came')
  for (const resource of ['juliet@capulet.example/phone', 'juliet@capulet.example/tablet'])
    t.equal(times(here.romeo, `<presence from='${resource}'`), 1, resource)
  t.equal(times(here.romeo, `<presence from='nurse@${HOST}/radio'`), 1)

  here.romeo.sends("<presence type='unavailable'/>")
  await here.settle()
  for (const device of devices)
    t.equal(times(device, `<presence type='unavailable' from='romeo@${HOST}/phone'`), 1, 'it went')
})

test('who is asked and does not let himself be seen does not answer (RFC 6121 §4.3.2)', async (t) => {
  const here = await world(t, { modules: ['presence'], nodes: 2 })
  const tablet = await here.device('juliet', 'tablet', { node: 1 })
  await tablet.comesOnline()
  await here.romeo.comesOnline()
  await here.settle()
  const roll = {
    ...{ stanza: "<presence type='probe'/>", from: `romeo@${HOST}/phone`, arrived: 0 },
    contacts: [`juliet@${HOST}`],
  }
  here.server.hosts.get(HOST)!.tellOthers('presence for contacts', roll)
  await here.settle()
  t.equal(times(here.romeo, 'juliet'), 0)
  t.notMatch(tablet.transcript.join(''), 'probe')
})
