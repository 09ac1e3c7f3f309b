// What no archive may keep and its client has not acknowledged outlives the server (XEP-0198 §5): it is
// in the log until somebody has it.

import { test } from 'tap'
import { DOMAIN } from '../../world/world.js'
import { bodies, enable, managed, resumes } from '../stream-management/sm-world.js'

const JULIET = `juliet@${DOMAIN}`
const FLEETING = "<no-permanent-store xmlns='urn:xmpp:hints'/>"

for (const kill of [false, true]) {
  for (const attached of [false, true]) {
    for (const [whom, to] of [
      ['all', JULIET],
      ['one device', `${JULIET}/phone`],
    ] as const) {
      const who = `${whom}, ${attached ? 'there' : 'away for a moment'}`
      test(`what no archive keeps survives that the server is ${kill ? 'killed' : 'stopped'} (${who})`, async (t) => {
        const modules = ['stream-management', 'offline-messages', 'archive']
        const w = await managed(t, { modules, database: 'sqlite', loggedIn: false })
        const orchard = await w.device('romeo', 'orchard')
        const phone = await w.device('juliet', 'phone')
        const id = await enable(phone)
        await phone.comesOnline()
        const h = phone.inbox.filter((one) => !/^[ra]$|^enabled$/.test(one.getName())).length
        if (!attached) phone.transport.cut(new Error('the connection broke'))
        await w.settle()
        for (const type of ['chat', 'normal'])
          orchard.sends(
            `<message to='${to}' type='${type}' id='${type}'><body>${type}</body>${FLEETING}</message>`,
          )
        await w.settle()
        await w.restart({ kill })
        t.same(bodies(await resumes(w, 'juliet', { id, h })), ['chat', 'normal'])
      })
    }
  }
}
