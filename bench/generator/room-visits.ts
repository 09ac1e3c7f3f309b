// Gets a crowd into one room (XEP-0045 §7.2): the first one makes it and says what it is to be, the others
// follow. An occupant is in when its own presence comes (status 110), after those of all others.
import type { RoomPlace } from '../job.js'
import type { Connection, Receiver } from './connection.js'

const MUC = 'http://jabber.org/protocol/muc'
const ENTRY_LIMIT_MS = 300_000
/** As many as any client's connections come up at once */
const AT_ONCE = 64

const SELF = /<status code=['"]110['"]/
const IS_ERROR = /^<presence[^>]*type=['"]error/

export const addressOf = ({ service }: RoomPlace, name: string) => `${name}@${service}`

function entry(room: string, index: number): string {
  const x = `<x xmlns='${MUC}'><history maxstanzas='0'/></x>`
  return `<presence to='${room}/n${index}'>${x}</presence>`
}

/** Takes what comes until the answer is there; presences of others are the most of it. */
function answered(
  connection: Connection,
  text: string,
  isAnswer: (text: string) => boolean,
): Promise<string> {
  const before = connection.receiver
  return new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error('the room does not answer')), ENTRY_LIMIT_MS)
    const end = () => {
      clearTimeout(late)
      connection.receiver = before
    }
    connection.receiver = {
      stanza(_, bytes, start, stop) {
        const answer = bytes.toString('latin1', start, stop)
        if (!isAnswer(answer)) return
        end()
        done(answer)
      },
      lost(lost, why) {
        end()
        before.lost(lost, why)
        fail(new Error(`a session was lost as it entered: ${why}`))
      },
    } satisfies Receiver
    connection.write(text)
  })
}

export async function enter(connection: Connection, room: string): Promise<void> {
  const isIn = (text: string) => text.startsWith('<presence') && SELF.test(text)
  const text = entry(room, connection.index)
  const answer = await answered(connection, text, (got) => isIn(got) || IS_ERROR.test(got))
  if (!isIn(answer)) throw new Error(`the room refused: ${answer}`)
}

/** §10.1: what is not said stays as the server has it. */
async function configure(owner: Connection, room: string, { form }: RoomPlace): Promise<void> {
  const all = { FORM_TYPE: `${MUC}#roomconfig`, ...form }
  const fields = Object.entries(all).map(
    ([name, value]) => `<field var='${name}'><value>${value}</value></field>`,
  )
  const x = `<x xmlns='jabber:x:data' type='submit'>${fields.join('')}</x>`
  const query = `<query xmlns='${MUC}#owner'>${x}</query>`
  const text = `<iq type='set' id='room' to='${room}'>${query}</iq>`
  const answer = await answered(owner, text, (got) => /^<iq[^>]* id=['"]room['"]/.test(got))
  if (!/type=['"]result/.test(answer)) throw new Error(`the room cannot be set up: ${answer}`)
}

export async function fillRoom(
  crowd: readonly Connection[],
  room: string,
  place: RoomPlace,
): Promise<void> {
  const [first, ...others] = crowd
  if (!first) throw new Error('nobody is there to enter')
  await enter(first, room)
  await configure(first, room, place)
  let next = 0
  const worker = async () => {
    while (next < others.length) await enter(others[next++]!, room)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
