// The passage of `session:write`: one for all that is written to a session. Nothing is recorded there, and
// nobody waits, so there is nothing that two stanzas could not share.

import type { JournalEntry } from '../storage/journal.js'
import type { Jid } from '../xmpp/jid.js'
import type { Passage } from './pipeline.js'
import type { Session } from './session.js'

const nobody: readonly Jid[] = []

export class WritePassage implements Passage {
  readonly session: Session
  readonly kept = undefined
  readonly here = true
  readonly delivered = nobody

  constructor(session: Session) {
    this.session = session
  }

  get account(): Jid {
    return this.session.account
  }

  get entry(): JournalEntry {
    throw new Error('session:write records nothing')
  }

  keep(): void {
    throw new Error('session:write records nothing')
  }

  after(): void {
    throw new Error('nothing comes after session:write')
  }
}
