// Romeo writes to Juliet: RFC 6121 §8.5, cell by cell.

import { test } from 'tap'
import { world } from '../world/world.js'

test('a message to a full address reaches that resource (RFC 6121 §8.5.3.1)', async (t) => {
  const { romeo, juliet } = await world(t, {})
  romeo.sends(`<message to='${juliet.jid}' type='chat' id='1'><body>Art thou not Romeo?</body></message>`)
  const message = await juliet.receives("<message type='chat' id='1'><body>Art thou not Romeo?</body></message>")
  t.equal(message.attrs.from, romeo.jid)
  await romeo.receivesNothing()
})
