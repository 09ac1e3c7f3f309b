// All archives, read to their end by connections that do nothing else, once all is quiet.

import { Connection, type Target } from '../../bench/generator/connection.js'
import { ArchivePages } from './archive-pages.js'
import type { Row } from './chronicle.js'
import { PASSWORD } from './device.js'
import { Entrance } from './entrance.js'

const AT_ONCE = 4
const READ_LIMIT_MS = 300_000

export async function readArchives(
  target: Target,
  owners: readonly string[],
): Promise<Map<string, Row[]>> {
  const archives = new Map<string, Row[]>()
  const left = [...owners]
  const worker = async () => {
    for (let owner = left.pop(); owner; owner = left.pop())
      archives.set(owner, await readArchive(target, owner))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return archives
}

export function readArchive(target: Target, owner: string): Promise<Row[]> {
  const rows: Row[] = []
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`the archive of ${owner}: ${why}`))
    const read = () => {
      const pages = new ArchivePages({
        after: undefined,
        send: (iq) => connection.write(iq),
        row: (row) => rows.push(row),
        done: (failure) => {
          clearTimeout(timer)
          if (failure === undefined) resolve(rows)
          else fail(failure)
          connection.receiver = { stanza: () => {}, lost: () => {} }
          connection.close()
        },
      })
      connection.receiver = {
        stanza: (_, bytes, start, end) => accept(pages, bytes.toString('latin1', start, end)),
        lost: (_, why) => fail(why),
      }
    }
    let handled = 0
    const accept = (pages: ArchivePages, text: string) => {
      if (/^<(message|presence|iq)\b/.test(text)) handled++
      if (text.startsWith('<r ')) connection.send(`<a xmlns='urn:xmpp:sm:3' h='${handled}'/>`)
      else pages.accept(text)
    }
    const user = owner.split('@')[0]!
    const credentials = { user, password: PASSWORD, resource: 'reader', modern: false }
    const outcome = {
      resumed: () => {},
      refused: () => {},
      early: () => {},
      bound: read,
      lost: fail,
    }
    const connection = new Connection(0, target, new Entrance(credentials, undefined, outcome))
    const timer = setTimeout(() => connection.fail('reading took too long'), READ_LIMIT_MS)
  })
}
