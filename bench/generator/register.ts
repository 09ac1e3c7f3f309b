// Creates accounts in-band (XEP-0077), one connection each, as a client would. An account that
// exists already is as good as a new one.
import type { Job, Outcome } from '../job.js'
import { Connection, type Receiver } from './connection.js'
import { type Begin, Crowd } from './crowd.js'

export async function register(job: Job, users: number): Promise<Outcome> {
  const crowd = new Crowd()
  const began = performance.now()
  await crowd.grow(users, job.login.concurrency, begin(job))
  const seconds = (performance.now() - began) / 1000
  return { failed: crowd.failed, figures: { perSecond: users / seconds } }
}

function begin(job: Job): Begin {
  const { prefix, password } = job.login
  return (index, outcome) => {
    const query = `<username>${prefix}${index}</username><password>${password}</password>`
    const receiver: Receiver = {
      stanza(connection, bytes, start, end) {
        const text = bytes.toString('latin1', start, end)
        if (text.includes('features')) return ask(connection, query)
        const refused = /^<iq[^>]*type=['"]error/.test(text) && !text.includes('<conflict')
        if (!text.startsWith('<iq') || refused) return connection.fail(text)
        connection.close()
        outcome.ready(connection)
      },
      lost: (_, why) => outcome.failed(`${prefix}${index} was not registered: ${why}`),
    }
    new Connection(index, job.target, receiver)
  }
}

function ask(connection: Connection, query: string): void {
  const to = connection.target.domain
  connection.write(
    `<iq type='set' id='reg' to='${to}'><query xmlns='jabber:iq:register'>${query}</query></iq>`,
  )
}
