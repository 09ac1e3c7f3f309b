// Logging in: SASL (RFC 6120 §6) with SCRAM, PLAIN and EXTERNAL. Who lives here and what their keys
// are is the module accounts'.

import { defineModule } from '../../lib/core/module.js'
import { flag } from '../../lib/ops/options.js'
import accounts from '../accounts/accounts.js'
import { channelBindingFeature } from './channel-binding.js'
import { Logins } from './login.js'
import { sasl } from './sasl.js'
import { Throttle } from './throttle.js'

export default defineModule({
  name: 'authentication',
  summary: 'Logging in: SCRAM, channel binding, client certificates',
  xeps: { 'XEP-0178': '1.2', 'XEP-0440': '1.0.0', 'XEP-0474': '0.5.0' },
  requires: [accounts],
  config: {
    plain: flag({
      default: true,
      doc: 'Whether a client that can do no better may send the password itself, inside TLS',
    }),
  },

  setup(host) {
    const limited = host.server.settings.limits !== 'off'
    const logins = new Logins({
      host,
      accounts: host.use(accounts),
      throttle: limited ? new Throttle(() => host.clock.now()) : undefined,
      plain: host.config.plain,
      anonymous: undefined,
    })
    return { streamFeatures: [sasl(logins), channelBindingFeature] }
  },
})
