// Software Version: says what runs here, and how much of that is said is the operator's choice.

import { xml } from '../lib/xmpp/element.js'
import { defineModule } from '../lib/core/module.js'
import { flag } from '../lib/ops/options.js'
import { version } from '../lib/ops/version.js'

const NS_VERSION = 'jabber:iq:version'

export default defineModule({
  name: 'version',
  summary: 'Says which software this server runs',
  xeps: { 'XEP-0092': '1.1' },
  config: {
    show_version: flag({ default: true, doc: 'Whether the version is told beside the name' }),
  },

  setup({ config }) {
    return {
      disco: { server: [NS_VERSION] },
      iq: [{ get: 'query', xmlns: NS_VERSION, to: 'host', allow: 'anyone', reads: true, answer }],
    }

    function answer() {
      const shown = config.show_version ? version : 'not told'
      return xml('query', NS_VERSION, xml('name', {}, 'Tercet'), xml('version', {}, shown))
    }
  },
})
