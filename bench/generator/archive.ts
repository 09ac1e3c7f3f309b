// Whether an account's archive has anything (XEP-0313): a server that keeps nothing must not
// appear in a row about keeping.
import type { Connection, Receiver } from './connection.js'

const QUERY =
  "<iq type='set' id='kept'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>1</max><before/></set></query></iq>"
const ANSWER_LIMIT_MS = 20_000

export function keepsAnything(connection: Connection): Promise<boolean> {
  return new Promise((answer) => {
    let results = 0
    const receiver: Receiver = {
      stanza(_, bytes, start, end) {
        const text = bytes.toString('latin1', start, end)
        if (text.startsWith('<message') && text.includes('urn:xmpp:mam:2')) results++
        else if (/^<iq[^>]*id=['"]kept/.test(text)) answer(results > 0)
      },
      lost: () => answer(false),
    }
    connection.receiver = receiver
    connection.write(QUERY)
    setTimeout(() => answer(false), ANSWER_LIMIT_MS)
  })
}
