// Message carbons (XEP-0280): what one device of an account sends or gets, the others are shown. Which
// messages are copied is in lib/xmpp/message-traits.ts. Whether a session wants copies is known where
// it is: a copy for a session of another node goes there, and its own node leaves it out.

import type { Place } from '../../lib/cluster/directory.js'
import { envelopeOf } from '../../lib/core/catch-up.js'
import { defineModule } from '../../lib/core/module.js'
import { type Handled, handled, type Passage } from '../../lib/core/pipeline.js'
import type { Session } from '../../lib/core/session.js'
import { OUTGOING, RETRACTED, momentOf } from '../../lib/storage/logged-message.js'
import type { Logged } from '../../lib/storage/message-log.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { NS_CARBONS, trait } from '../../lib/xmpp/message-children.js'
import { type Direction, mayBeCopied, traitsOf } from '../../lib/xmpp/message-traits.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import authentication from '../authentication/authentication.js'
import { copyOf } from './copy.js'

type Later = Promise<void> | undefined

const RULES = 'urn:xmpp:carbons:rules:0'
const nobody: readonly Jid[] = []

const enabled = Symbol('wants carbon copies')

export default defineModule({
  name: 'carbons',
  summary: 'Shows every conversation on all devices of its account',
  xeps: { 'XEP-0280': '1.0.1', 'XEP-0297': '1.0' },
  requires: [authentication],

  setup(host) {
    const withdraw = host.use(authentication).inlineBind({
      xmlns: NS_CARBONS,
      feature: NS_CARBONS,
      answer({ elements, session }) {
        if (elements.some((element) => element.is('enable'))) set(session as Session, true)
        return undefined
      },
    })
    const own = { xmlns: NS_CARBONS, to: 'account', allow: 'self' } as const

    return {
      disco: { server: [NS_CARBONS, RULES] },
      // §5: however often they come, they succeed (§10.1).
      iq: [
        { set: 'enable', ...own, answer: ({ session }) => set(session, true) },
        { set: 'disable', ...own, answer: ({ session }) => set(session, false) },
      ],
      hooks: {
        'message:sent': { copy: copySent },
        'message:received': { copy: copyReceived },
        'session:write': { admit: leaveOut },
      },
      replay,
      session: {
        save: isEnabled,
        restore: (session, saved) => set(session, saved === true),
      },
      close: withdraw,
    }

    /** §8: to all but the session that sent it, and those to which it went. */
    function copySent(envelope: Envelope, passage: Passage): Later {
      const { account } = passage
      const session = passage.session!
      const delivered = envelope.to.bare.equals(account) ? passage.delivered : nobody
      const { id = 0, flags = 0 } = passage.kept ?? {}
      return toOthers({ account, id }, [session.jid, ...delivered], () => {
        const { stanza } = envelope
        if (!mayBeCopied(stanza, 'sent') || isBounce(envelope)) return undefined
        const labels = id > 0 ? session.host.labels({ owner: account, id, flags }) : ''
        return { envelope: envelope.annotated(labels), direction: 'sent', logId: id }
      })
    }

    /** §7: to all that did not get it. What the account sent itself its sessions have as sent. */
    function copyReceived(envelope: Envelope, { account, session, delivered }: Passage): Later {
      if (account.local === '' || (session && envelope.from.bare.equals(account))) return undefined
      return toOthers({ account, id: envelope.logId }, delivered, () => {
        if (!mayBeCopied(envelope.stanza, 'received')) return undefined
        return { envelope, direction: 'received', logId: envelope.logId }
      })
    }

    /** What has an id in the log each node shows its own sessions (core/showing.ts): nobody asks for others. */
    function toOthers(
      { account, id }: { account: Jid; id: number },
      but: readonly Jid[],
      original: () => Original | undefined,
    ): Later {
      const here = id > 0 ? host.sessions.of(account) : undefined
      const found = here ?? host.server.directory.lookup(account.text)
      if (found instanceof Promise)
        return found.then((places) => write(others(places, but), account, original()))
      const places = others(found, but)
      return places.length === 0 ? undefined : write(places, account, original())
    }

    /** Those who may want a copy: of sessions elsewhere their own node knows. */
    function others(places: readonly Place[], but: readonly Jid[]): readonly Place[] {
      if (places.length <= but.length && places.every((place) => isAmong(place, but))) return none
      return places.filter((place) => {
        if (isAmong(place, but)) return false
        const session = host.sessions.inPlace(place)
        return session ? isEnabled(session) : place.node !== host.server.node
      })
    }

    function write(places: readonly Place[], account: Jid, original: Original | undefined): Later {
      if (!original || places.length === 0) return undefined
      const { envelope, direction, logId } = original
      const stanza = copyOf(envelope, direction)
      const origin = { from: account, origin: 'local', arrived: envelope.arrived, logId } as const
      let elsewhere: Promise<boolean>[] | undefined
      for (const place of places) {
        const session = host.sessions.inPlace(place)
        if (session) session.write(new Envelope({ stanza, to: session.jid, ...origin }))
        else if (logId === 0) {
          const to = account.withResource(place.resource)
          const there = host.server.writeElsewhere(place, new Envelope({ stanza, to, ...origin }))
          if (there instanceof Promise) (elsewhere ??= []).push(there)
        }
      }
      return elsewhere && Promise.all(elsewhere).then(() => undefined)
    }

    /** From the log, for a session that has missed it. */
    function replay(logged: Logged, session: Session): Envelope | undefined {
      const { id, flags } = logged
      if (!isEnabled(session) || flags & RETRACTED) return undefined
      const original = envelopeOf(logged)
      const direction = flags & OUTGOING ? 'sent' : 'received'
      if (!mayBeCopied(original.stanza, direction)) return undefined
      if (direction === 'sent' && original.from.equals(session.jid)) return undefined
      if (isBounce(original)) return undefined
      const owner = session.account
      const labelled = original.annotated(session.host.labels({ owner, id, flags }))
      const stanza = copyOf(labelled, direction, momentOf(id))
      return original.with({ stanza, from: owner, to: session.jid })
    }
  },
})

interface Original {
  envelope: Envelope
  direction: Direction
  logId: number
}

const none: readonly Place[] = []

function isAmong({ resource }: Place, jids: readonly Jid[]): boolean {
  for (const jid of jids) if (jid.resource === resource) return true
  return false
}

/** §10.3: an error that one of the account's own copies, or a message to itself, came back with */
function isBounce({ stanza, from, to }: { stanza: Stanza; from: Jid; to: Jid }): boolean {
  return stanza.type === 'error' && from.bare.equals(to.bare)
}

function isEnabled(session: Session): boolean {
  return session.memo.has(enabled)
}

function set(session: Session | undefined, wanted: boolean): void {
  if (!session || isEnabled(session) === wanted) return
  if (wanted) session.memo.set(enabled, true)
  else session.memo.delete(enabled)
  session.changed()
}

/** A copy that another node has sent to a session of ours that does not want any. */
function leaveOut({ stanza, from }: Envelope, { session, account }: Passage): Handled | undefined {
  if (stanza.kind !== 'message' || !(traitsOf(stanza) & trait.wrapper)) return undefined
  if (!stanza.hasNamespace(NS_CARBONS) || !from.equals(account)) return undefined
  return session && !isEnabled(session) ? handled : undefined
}
