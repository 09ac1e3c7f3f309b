// Where an archive begins and ends (XEP-0313 §5), for whoever plans what to ask for.

import { timeOf } from '../../lib/storage/logged-message.js'
import type { MessageLog } from '../../lib/storage/message-log.js'
import { stampOf } from '../../lib/xmpp/delay.js'
import { type Element, xml } from '../../lib/xmpp/element.js'
import { NS_ARCHIVE } from '../../lib/xmpp/message-children.js'
import { endsOf } from './reading.js'

export async function metadata(
  log: MessageLog,
  owner: number,
  seal: (number: number) => string,
): Promise<Element> {
  const ends = await endsOf(log, owner)
  const children = ends.map(({ id }, at) =>
    xml(at === 0 ? 'start' : 'end', { id: seal(id), timestamp: stampOf(timeOf(id)) }),
  )
  return xml('metadata', NS_ARCHIVE, ...children)
}
