// Which installation of which client logs in (XEP-0388 §2.3). The id is known to the client and us
// alone: it is never shown to anybody, not even inside a resource.

import type { Element } from '../../lib/xmpp/element.js'

export interface UserAgent {
  /** A UUID, in lower case */
  readonly id?: string
  readonly software?: string
  readonly device?: string
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const MOST = 200

export function readUserAgent(element: Element | undefined): UserAgent {
  const id = String(element?.attrs.id ?? '').toLowerCase()
  const software = element?.getChildText('software')?.slice(0, MOST)
  const device = element?.getChildText('device')?.slice(0, MOST)
  return {
    ...(UUID.test(id) && { id }),
    ...(software && { software }),
    ...(device && { device }),
  }
}
