// Contact Addresses: tells users and other operators whom to write to about this server.

import { form } from '../lib/xmpp/forms.js'
import { defineModule } from '../lib/core/module.js'
import { list } from '../lib/ops/options.js'

const kinds = ['abuse', 'admin', 'feedback', 'sales', 'security', 'status', 'support'] as const

const addresses = (what: string) =>
  list({ default: [], doc: `Addresses (mailto:, xmpp:, https:) for ${what}` })

export default defineModule({
  name: 'contact-info',
  summary: 'Tells whom to write to about this server',
  xeps: { 'XEP-0157': '1.1.1' },
  config: {
    abuse: addresses('reports of abuse'),
    admin: addresses('questions to the administrators; theirs by default'),
    feedback: addresses('feedback'),
    sales: addresses('sales'),
    security: addresses('reports of vulnerabilities'),
    status: addresses('the state of the service'),
    support: addresses('help'),
  },

  setup(host) {
    return { disco: { forms: () => (known().length === 0 ? [] : [contacts()]) } }

    // XEP-0157 §3: one field for each kind, each address a value.
    function contacts() {
      return form({ type: 'result', of: 'http://jabber.org/network/serverinfo', fields: known() })
    }

    function known() {
      return kinds
        .map((kind) => ({
          name: `${kind}-addresses`,
          type: 'list-multi' as const,
          value: addressesOf(kind),
        }))
        .filter(({ value }) => value.length > 0)
    }

    function addressesOf(kind: (typeof kinds)[number]): readonly string[] {
      const named = host.config[kind]
      if (named.length > 0 || kind !== 'admin') return named
      return host.settings.admins.map((jid) => `xmpp:${jid}`)
    }
  },
})
