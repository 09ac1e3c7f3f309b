// The servers of one process, one after the other: what is told between two of them reaches the next.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { Lives } from '../../bin/lives.js'
import { silentLog } from '../../lib/ops/log.js'
import { world } from '../world/world.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('settings that come while no server is there are those of the next one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-lives-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const w = await world(t, { loggedIn: false })
  const settings = { ...w.server.settings, data: folder }
  const lives = await Lives.begin({ settings, node: undefined, log: silentLog })
  let end: (why: string) => void = () => {}
  const wanted = new Promise<string>((resolve) => {
    end = resolve
  })
  const until = lives.until(wanted)
  const first = lives.server
  first.fencing.cut()
  await first.fenced
  for (let turns = 0; turns < 3; turns++) await turn()
  t.equal(lives.server, first, 'there is no other yet')
  const [host] = settings.hosts
  const hosts = [host!, { ...host!, domain: 'montague.example' }]
  t.same(await lives.reload({ ...settings, hosts }), [])
  while (lives.server === first) await turn()
  t.same([...lives.server.hosts.keys()], ['capulet.example', 'montague.example'])
  end('enough')
  await until
})
