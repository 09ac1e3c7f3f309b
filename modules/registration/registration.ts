// In-Band Registration: strangers make an account where the host lets them, freely or by invitation;
// people change their password and cancel their account. Who lives here is the module accounts'; this
// one decides who may join.

import type { Account } from '../../lib/core/module.js'
import { defineModule } from '../../lib/core/module.js'
import { duration, flag, integer } from '../../lib/ops/options.js'
import type { StreamFeature } from '../../lib/streams/negotiation.js'
import { xml } from '../../lib/xmpp/element.js'
import accounts from '../accounts/accounts.js'
import roster from '../roster/roster.js'
import { NS_REGISTER } from './fields.js'
import type { Invitation } from './invitation-store.js'
import { Invitations } from './invitations.js'
import { inviteCommands } from './invite-commands.js'
import { ownAccount } from './own-account.js'
import { RegistrationLimits } from './registration-limits.js'
import { SignUp } from './sign-up.js'
import { migrations } from './tables.js'

const CLEAN_UP = 60 * 60_000

export default defineModule({
  name: 'registration',
  summary: 'Lets people register, by invitation or freely, and manage their own account',
  xeps: { 'XEP-0077': '2.4', 'XEP-0401': '0.6.0', 'XEP-0445': '0.2.0' },
  requires: [accounts, roster],
  migrations,
  config: {
    password_length: integer({
      default: 8,
      min: 1,
      max: 100,
      doc: 'Fewest characters of a password that people choose themselves',
      unit: 'characters',
    }),
    change_password: flag({ default: true, doc: 'Whether people may change their password' }),
    cancel_account: flag({ default: true, doc: 'Whether people may cancel their own account' }),
    invitation_life: duration({
      default: '1 week',
      min: '10 minutes',
      max: 'never',
      doc: 'How long an invitation can be used, where nothing else is asked for',
    }),
    user_invitations: integer({
      default: 20,
      min: 0,
      max: 1000,
      doc: 'Most open invitations of one user; 0 where only administrators may invite',
    }),
  },

  setup(host) {
    const { config } = host
    const registry = host.use(accounts)
    const contacts = host.use(roster)
    const invitations = new Invitations(host, registry)
    const limits = new RegistrationLimits(
      () => host.clock.now(),
      () => host.server.settings.limits === 'off',
    )
    const least = config.password_length
    const signUp = new SignUp(host, { accounts: registry, invitations, limits, least, welcome })
    return {
      disco: { server: [NS_REGISTER] },
      iq: ownAccount(host, registry, {
        least,
        mayChangePassword: config.change_password,
        mayCancel: config.cancel_account,
      }),
      streamFeatures: [
        { ...feature('http://jabber.org/features/iq-register'), requests: signUp },
        feature('urn:xmpp:ibr-token:0'),
      ],
      commands: inviteCommands(host, invitations, {
        life: config.invitation_life,
        mostOfUser: config.user_invitations,
      }),
      tasks: [
        {
          name: 'forget expired invitations',
          every: CLEAN_UP,
          once: true,
          run: () => invitations.removeExpired(),
        },
      ],
      account: { forget: ({ number }, trx) => invitations.store.removeOf(trx, number) },
    }

    function feature(xmlns: string): StreamFeature {
      return {
        name: `register ${xmlns}`,
        accepts: [],
        advertise: (stream) => (signUp.isOffered(stream) ? xml('register', xmlns) : undefined),
        negotiate() {},
      }
    }

    // XEP-0401 §5.3: who came and who invited are contacts at once.
    async function welcome(invitation: Invitation, account: Account): Promise<void> {
      const { contact, inviter: number, madeBy } = invitation
      if (!contact || number === null) return
      const inviter = await registry.lookup(madeBy.slice(0, madeBy.indexOf('@')))
      if (inviter?.number === number) await contacts.setMutual(inviter, account)
    }
  },
})
