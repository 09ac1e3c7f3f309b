// Service Administration: what administrators may know of the users of this host (XEP-0133). Adding
// and removing users is with the accounts, ending sessions with the sessions, announcing with the
// announcements. Who is online is asked of all nodes.

import { defineModule } from '../../lib/core/module.js'
import type { Session } from '../../lib/core/session.js'
import { duration } from '../../lib/ops/options.js'
import accounts from '../accounts/accounts.js'
import roster from '../roster/roster.js'
import { LastLogins, migrations } from './last-logins.js'
import { presenceCommands, WHO_IS_ONLINE, whoIsOnline } from './presence-commands.js'
import { CONNECTED, connected, LAST_LOGIN, userCommands } from './user-commands.js'

const WRITE_LOGINS = 60_000

export default defineModule({
  name: 'service-administration',
  summary: 'Lets administrators count and look up the users of this host',
  xeps: { 'XEP-0133': '1.3.1' },
  requires: [accounts, roster],
  migrations,
  config: {
    idle: duration({
      default: '10 minutes',
      min: '1 minute',
      doc: 'Who is online and was silent for so long counts as idle',
    }),
  },

  setup(host) {
    const logins = new LastLogins(host.database)
    const parts = { accounts: host.use(accounts), rosters: host.use(roster), logins }
    return {
      commands: [...presenceCommands(host, host.config.idle), ...userCommands(host, parts)],
      on: { 'session:bound': ({ session }) => noteLogin(session) },
      tasks: [{ name: 'write last logins', every: WRITE_LOGINS, run: () => logins.flush() }],
      account: { forget: ({ number }, trx) => logins.forget(trx, number) },
      answers: {
        [WHO_IS_ONLINE]: () => whoIsOnline(host),
        [LAST_LOGIN]: (account) => logins.heldOf(account as number) ?? null,
        [CONNECTED]: (account) => connected(host, account as string),
      },
      close: () => logins.flush(),
    }

    /** Guests have numbers below zero, and are gone when they leave. */
    function noteLogin({ number, bound }: Session): Promise<void> | undefined {
      return number > 0 ? logins.note(number, bound) : undefined
    }
  },
})
