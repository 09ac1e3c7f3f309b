// Logging in: SASL (RFC 6120 §6) and SASL2 (XEP-0388) with SCRAM, PLAIN, EXTERNAL and the tokens of
// FAST, and binding within the login. Who lives here and what their keys are is the module
// accounts'; what else can be asked for in a login is said through `provides`.

import { defineModule } from '../../lib/core/module.js'
import { duration, flag } from '../../lib/ops/options.js'
import accounts from '../accounts/accounts.js'
import { anonymous } from './anonymous.js'
import { Bind2 } from './bind2.js'
import { channelBindingFeature } from './channel-binding.js'
import { Fast } from './fast.js'
import { migrations, TokenStore } from './fast-store.js'
import { type AuthenticationApi, Inline } from './inline.js'
import { Logins } from './login.js'
import { factsOf, leaveFacts } from './login-facts.js'
import { sasl } from './sasl.js'
import { Sasl2 } from './sasl2.js'
import { Throttle } from './throttle.js'

const EXPIRE_TOKENS = 6 * 3600_000

const config = {
  plain: flag({
    default: true,
    doc: 'Whether a client that can do no better may send the password itself, inside TLS',
  }),
  anonymous: flag({
    default: false,
    doc: 'Whether anybody may come in as a guest, with a name for the time of one session',
  }),
  token_lifetime: duration({
    default: '21 days',
    min: '1 hour',
    max: '1 year',
    doc: 'How long a client that was away may still log in with its token',
  }),
}

export default defineModule<AuthenticationApi, typeof config>({
  name: 'authentication',
  summary: 'Logging in: SASL, SASL2, SCRAM, channel binding, login tokens, Bind 2',
  xeps: {
    'XEP-0175': '1.2',
    'XEP-0178': '1.2',
    'XEP-0386': '1.1.0',
    'XEP-0388': '1.0.4',
    'XEP-0440': '1.0.0',
    'XEP-0474': '0.5.0',
    'XEP-0480': '0.2.0',
    'XEP-0484': '0.2.0',
  },
  requires: [accounts],
  config,
  migrations,

  setup(host) {
    const registry = host.use(accounts)
    const limited = host.server.settings.limits !== 'off'
    const logins = new Logins({
      host,
      accounts: registry,
      throttle: limited ? new Throttle(() => host.clock.now()) : undefined,
      plain: host.config.plain,
      anonymous: host.config.anonymous ? anonymous(registry.guests) : undefined,
    })
    const inline = new Inline()
    const tokens = new TokenStore(host.database, registry.passwords.secretFor('login tokens'))
    const fast = new Fast(host, tokens, host.config.token_lifetime)
    const sasl2 = new Sasl2({ logins, inline, fast, bind2: new Bind2(host, inline) })
    return {
      streamFeatures: [sasl2, sasl(logins), channelBindingFeature],
      provides: inline,
      on: {
        'session:bound': ({ session }) =>
          leaveFacts(session.memo, factsOf(session.stream?.memo ?? new Map())),
        'account:password-changed': ({ number }) => tokens.forget(number),
      },
      account: { forget: ({ number }, trx) => tokens.forget(number, trx) },
      tasks: [
        {
          name: 'expire login tokens',
          every: EXPIRE_TOKENS,
          once: true,
          run: () => tokens.expire(host.clock.now()),
        },
      ],
    }
  },
})
