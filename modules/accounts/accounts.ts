// Accounts of a host: who lives here, and the keys of their passwords. Logging in is the module
// authentication's; what else belongs to an account is with the modules that keep it.

import { defineModule } from '../../lib/core/module.js'
import { AccountRegistry, type Ending } from './account-registry.js'
import { accountCommands, resourcesHere } from './commands.js'
import { Guests } from './guests.js'
import { Passwords } from './passwords.js'
import { Removals } from './removal.js'
import { AccountStore } from './store.js'
import { migrations } from './tables.js'

/** What modules that require this one get. */
export type AccountsApi = AccountRegistry

const RESUME_REMOVALS = 10 * 60_000
const RECHECK = 2000

export default defineModule<AccountsApi>({
  name: 'accounts',
  summary: 'Accounts, their passwords, and their removal without a trace',
  xeps: { 'XEP-0438': '0.2.0' },
  migrations,

  async setup(host) {
    const store = new AccountStore(host.database, host.domain)
    const passwords = await Passwords.open(host, store)
    const removals = new Removals(host)
    const guests = new Guests(host)
    const registry = new AccountRegistry(host, { store, passwords, guests, removals })
    return {
      accounts: registry,
      provides: registry,
      commands: accountCommands(host, registry),
      tasks: [
        {
          name: 'resume removals',
          every: RESUME_REMOVALS,
          once: true,
          run: () => removals.resume(),
        },
        { name: 'accounts ended unheard', every: RECHECK, run: () => registry.recheckAll() },
      ],
      remembers: {
        accounts: {
          forget: (local) => registry.forget(local),
          forgetAll: () => registry.forgetAll(),
        },
        keys: { forget: (local) => readKeys(local), forgetAll: () => passwords.forgetAll() },
      },
      answers: {
        'end sessions': (ending) => registry.endSessions(ending as Ending),
        resources: (accounts) => resourcesHere(host, accounts as string[]),
      },
      on: {
        'host:ready': () => removals.resume(),
        'session:bound': ({ session }) => registry.recheck(session),
        'session:closed': ({ session }) => guests.left(session.account),
      },
    }

    function readKeys(local: string): void {
      const read = passwords.changedElsewhere(local)
      host.server.pending(read.catch((error) => host.failed('accounts', error)))
    }
  },
})
