// What a client asks of its inbox (XEP-0430 §4).

import type { IqRequest } from '../../lib/core/module.js'
import type { Element } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { NS_RSM, type PageRequest, readPage } from '../../lib/xmpp/result-set.js'

export interface Question {
  /** The id of the request, by which results say what they belong to */
  readonly queryId: string
  readonly unreadOnly: boolean
  /** Whether the newest message is shown beside each conversation */
  readonly messages: boolean
  readonly page: PageRequest
}

/** LIM-inbox */
export interface Limits {
  readonly page: number
  readonly most: number
}

export function readQuestion({ element, envelope }: IqRequest, limits: Limits): Question {
  const sized = element.getChild('set', NS_RSM)?.getChild('max', NS_RSM) !== undefined
  return {
    queryId: envelope.stanza.id,
    unreadOnly: flag(element, 'unread-only', false),
    messages: flag(element, 'messages', true),
    page: readPage(element, sized ? limits.most : Math.min(limits.page, limits.most)),
  }
}

/** A boolean of XML Schema */
function flag(element: Element, name: string, otherwise: boolean): boolean {
  const value = (element.attrs as Record<string, string | undefined>)[name]
  if (value === undefined) return otherwise
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw new StanzaError('bad-request', `${name} is true or false`)
}
