// Stream management while the database takes nothing: what is said of it is true all the same
// (XEP-0198 §4, §5).

import { test } from 'tap'
import { chat, enable, fillsDisk, handled, managed, resumes, SM, waits } from './sm-world.js'

const JULIET = 'juliet@capulet.example'

test('a resumed client is counted on from what it was told (XEP-0198 §5)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  w.romeo.sends(chat(JULIET, 'one'))
  t.equal(await handled(w.romeo), 1)
  const freed = fillsDisk(w)
  w.romeo.sends(chat(JULIET, 'two') + chat(JULIET, 'three'))
  await w.settle()
  await w.romeo.breaks()
  const again = await resumes(w, 'romeo', { id, h: 2 })
  await again.receives(`<resumed ${SM} h='1'/>`)
  freed()
  again.sends(chat(JULIET, 'two') + chat(JULIET, 'three'))
  t.equal(await handled(again), 3)
  await waits(w, 3)
  t.equal(await handled(again), 3, 'nor does what waited to be counted before count now')
})

test('what a broken stream had brought is not counted behind the back of the next one', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  const freed = fillsDisk(w)
  w.romeo.sends(chat(JULIET, 'one'))
  await w.settle()
  await w.romeo.breaks()
  freed()
  const again = await resumes(w, 'romeo', { id, h: 1 })
  await again.receives(`<resumed ${SM} h='0'/>`)
  await waits(w, 3)
  t.equal(await handled(again), 0)
  again.sends(chat(JULIET, 'one'))
  t.equal(await handled(again), 1)
})
